import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import type { GraphQLFieldResolver } from 'graphql';
import { DomainError, within } from '../../errors.js';

/**
 * Names the wrong input of a mutation by its path in the document. Services name a parameter, and every mutation has its
 * parameters in one argument, `input`.
 */
class InputErrors<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { parentType }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (parentType !== 'Mutation') return resolver;
    return async (parent, args, context, info) => {
      try {
        return await resolver(parent, args, context, info);
      } catch (error) {
        throw error instanceof DomainError ? within('input', error) : error;
      }
    };
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      inputErrors: InputErrors<Types>;
    }
  }
}

SchemaBuilder.registerPlugin('inputErrors', InputErrors);
