import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import type { GraphQLFieldResolver } from 'graphql';
import { currentActor } from '../../auth/actor.js';

/**
 * Asserts that each mutation was recorded in the audit by its service, in the transaction of its change, under the
 * mutation's name. Each field is checked separately, because a request may contain the same mutation twice.
 */
class AuditMutations<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { parentType, name }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (parentType !== 'Mutation') return resolver;
    return async (parent, args, context, info) => {
      const before = timesNoted(name);
      const result: unknown = await resolver(parent, args, context, info);
      if (timesNoted(name) === before) throw new Error(`the mutation ${name} is not in the audit`);
      return result;
    };
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      auditMutations: AuditMutations<Types>;
    }
  }
}

SchemaBuilder.registerPlugin('auditMutations', AuditMutations);

function timesNoted(action: string): number {
  return currentActor()?.audited.get(action) ?? 0;
}
