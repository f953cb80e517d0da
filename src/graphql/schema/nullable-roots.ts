import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';

/**
 * Makes every field of `Query` and `Mutation` nullable. A field without a value takes everything around it along: if
 * root fields were not nullable, one that fails or is forbidden would leave an answer without the others.
 */
class NullableRoots<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    if (field.kind !== 'Query' && field.kind !== 'Mutation') return field;
    return { ...field, type: { ...field.type, nullable: true } };
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      nullableRoots: NullableRoots<Types>;
    }
  }
}

SchemaBuilder.registerPlugin('nullableRoots', NullableRoots);
