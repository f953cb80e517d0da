import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql';
import type { Answer } from './answer-budget.js';
import { fieldsOfEach } from './selection-size.js';
import type { Slices } from './time-slices.js';

/** The memory of one field: its name and value in JSON, and its value before serialization. */
const BYTES_PER_FIELD = 32;
/** Types within a report. The whole report is counted once by its stored size. */
const WITHIN_REPORTS = new Set(['CrashReport', 'CrashTask', 'StackFrame']);
/** Texts of rows without a limit, or with a high one. Texts of dumps are counted before they are read. */
const LONG_TEXTS = new Set(['CrashGroup.reason', 'CrashGroup.culpritFunction', 'CrashGroup.note']);

/**
 * Counts each list against the answer's budget as soon as its length is known: for a list without a page size, the
 * query's cost was only an estimate. The items of a long answer are resolved in slices of time.
 */
class BoundedLists<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { parentType, name, type }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (LONG_TEXTS.has(`${parentType}.${name}`)) return countingText(resolver);
    if (type.kind !== 'List') return resolver;
    const isCounted = !WITHIN_REPORTS.has(parentType);
    return (parent, args, context, info) => {
      const bounded = (list: unknown) => boundedBy(answerOf(context), list, isCounted ? info : null);
      const list: unknown = resolver(parent, args, context, info);
      return list instanceof Promise ? list.then(bounded) : bounded(list);
    };
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      boundedLists: BoundedLists<Types>;
    }
  }
}

SchemaBuilder.registerPlugin('boundedLists', BoundedLists);

/** Pothos types a plugin's context for any schema; ours is narrower. */
function answerOf(context: object): Answer {
  return (context as { answer: Answer }).answer;
}

function boundedBy(answer: Answer, list: unknown, counted: GraphQLResolveInfo | null): unknown {
  if (!Array.isArray(list)) return list;
  if (counted !== null) {
    const bytes = list.length * fieldsOfEach(counted) * BYTES_PER_FIELD + textBytes(list);
    // The whole answer is refused; an empty list ends the execution soonest.
    if (!answer.admit(bytes)) return [];
  }
  return answer.slicesOfLists === null ? list : inSlices(list, answer.slicesOfLists);
}

function countingText<Context extends object>(
  resolver: GraphQLFieldResolver<unknown, Context, object>,
): GraphQLFieldResolver<unknown, Context, object> {
  return (parent, args, context, info) => {
    const text: unknown = resolver(parent, args, context, info);
    return typeof text === 'string' && !answerOf(context).admit(text.length) ? '' : text;
  };
}

/** Bytes of a list of texts. */
function textBytes(list: readonly unknown[]): number {
  let bytes = 0;
  for (const item of list) if (typeof item === 'string') bytes += item.length;
  return bytes;
}

/** The executor takes the next item when the previous one is complete, and waits for items that are promises. */
function* inSlices(list: readonly unknown[], slices: Slices): Generator<unknown> {
  for (const item of list) yield slices.isOver() ? slices.later(item) : item;
}
