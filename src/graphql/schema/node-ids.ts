import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import { encodeGlobalId } from '../../global-ids.js';

/**
 * Resolves global ids synchronously. The Relay plugin makes each `id` by an async function; the executor then waits for
 * every object that has one, and for every list of them: most of the cost of a long list (`test/bench/README.md`).
 *
 * Our ids are row numbers and need no waiting. Only the resolver is replaced; the authorization rules still wrap it.
 */
class NodeIds<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    if (field.name !== 'id' || field.graphqlKind !== 'Object') return field;
    const parent = this.buildCache.getTypeConfig(field.parentType, 'Object');
    const isNode = parent.interfaces.some((of) => this.buildCache.getTypeConfig(of).name === 'Node');
    return isNode
      ? { ...field, resolve: (row: unknown) => encodeGlobalId(parent.name, rowIdOf(row)) }
      : field;
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      nodeIds: NodeIds<Types>;
    }
  }
}

SchemaBuilder.registerPlugin('nodeIds', NodeIds);

function rowIdOf(row: unknown): number {
  if (typeof row === 'object' && row !== null && 'id' in row && typeof row.id === 'number') return row.id;
  throw new Error('a node is a row with a number');
}
