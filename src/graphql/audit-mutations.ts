import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import type { GraphQLFieldResolver } from 'graphql';
import { auditTargetOf } from './audit-target.js';
import type { Context } from './context.js';

/** No mutation without its audit event: what its service has not noted itself is noted here, under its own name. */
class AuditMutations<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { parentType, name }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (parentType !== 'Mutation') return resolver;
    return async (parent, args, context, info) => {
      const result: unknown = await resolver(parent, args, context, info);
      await auditOf(context).ensure({ action: name, ...targetOf(args) });
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

/** Pothos types the context of a plugin as whatever a schema may have. */
function auditOf(context: object) {
  return (context as Context).services.audit;
}

/** By our conventions a mutation's subject is its `id`, or its input's. */
function targetOf(args: object) {
  const input: unknown = Reflect.get(args, 'input');
  const id: unknown =
    Reflect.get(args, 'id') ??
    (typeof input === 'object' && input !== null ? Reflect.get(input, 'id') : undefined);
  return typeof id === 'string' ? auditTargetOf(id) : null;
}
