import { type ASTNode, GraphQLError, Kind } from 'graphql';
import { GraphQLUpload } from 'graphql-upload-minimal';
import { builder } from './builder.js';

/** RFC 3339 with time and offset. A date alone, or a time without a zone, is ambiguous and refused. */
const INSTANT = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})$/;

builder.scalarType('DateTime', {
  description:
    'A moment, as an RFC 3339 string: 2026-02-11T14:30:00.123Z. Answers are in UTC with milliseconds.',
  serialize: (date) => date.toISOString(),
  parseValue: (value) => readInstant(value),
  parseLiteral: (node) => readInstant(node.kind === Kind.STRING ? node.value : undefined, node),
});

builder.addScalarType('Upload', GraphQLUpload);

/** @param node where the value is part of the document: graphql itself would not say where the error is */
function readInstant(value: unknown, node?: ASTNode): Date {
  const date = typeof value === 'string' && INSTANT.test(value) ? new Date(value) : null;
  if (date === null || Number.isNaN(date.getTime())) {
    const message = 'A DateTime is an RFC 3339 string with a zone, like 2026-02-11T14:30:00Z.';
    throw new GraphQLError(message, { nodes: node ?? null });
  }
  return date;
}
