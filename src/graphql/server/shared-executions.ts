import {
  type ArgumentNode,
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  Kind,
  type VariableNode,
  visit,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { type Actor, currentActor, resumeAs } from '../../auth/actor.js';
import type { Person } from '../../auth/principal.js';
import { ended, iteratorOf } from '../../platform/async-iterators.js';
import type { Context } from '../schema/context.js';
import type { Loaders } from '../schema/loaders.js';
import { executeBounded } from './bounded-answers.js';
import { setEventId, writeOnce } from './result-text.js';

/** Subscribers that receive the event within this time share one answer. A slower one reads again; nothing is kept. */
const SHARED_FOR_MS = 1_000;

/** Rows and answers of one event, shared by its subscribers. */
interface SharedEvent {
  loaders: Loaders;
  answers: Map<string, Promise<Answer>>;
  /** Called when the event is not shared any more. */
  releases: Array<() => void>;
}

interface Answer {
  result: ExecutionResult;
  /** True when it depends on the person's name, token or time, and not on the role alone. */
  isPersonal: boolean;
  /** Keeps it within the budget of answers. @returns a function to call once when it is not held any more */
  hold: () => () => void;
}

/** An answer that is being sent to one subscriber. */
interface Held {
  result: ExecutionResult;
  release: () => void;
}

/**
 * Executes an event once for all subscribers that get the same answer: those with the same document, operation,
 * variables and role. A proxy watches which members of the person a resolver reads. When it reads more than the role (a
 * signed link contains the name), each subscriber gets a separate answer. The same holds for answers with errors, which
 * contain the id of one request. Rows are read once per event in either case.
 *
 * Only answers are shared, not streams: each subscriber has its own stream, which checks its token before each event,
 * falls behind and ends independently.
 *
 * @param contextOf makes the context of one execution
 */
export function shareAnswers({
  contextOf,
  createLoaders,
  sharedForMs = SHARED_FOR_MS,
}: {
  contextOf: (actor: Actor, loaders: Loaders) => Context;
  createLoaders: () => Loaders;
  sharedForMs?: number;
}): Plugin<Context> {
  const sharedEvents = new WeakMap<object, SharedEvent>();
  const batchLoaders = new WeakMap<object, Loaders>();
  const numbers = new WeakMap<DocumentNode, number>();
  let documents = 0;

  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(subscribe);
    },
  };

  async function subscribe(args: ExecutionArgs) {
    const actor = currentActor();
    if (actor === null) throw new Error('a subscription outside of a request');
    const events = await createSourceEventStream(args);
    return Symbol.asyncIterator in events ? answerEach(events, answering(args, actor)) : events;
  }

  function answering(args: ExecutionArgs, actor: Actor): (event: unknown) => Promise<Held> {
    const { document, operationName, variableValues } = args;
    const variables = variablesOfAnswers(document, variableValues ?? {});
    const operation = JSON.stringify([numberOf(document), operationName, variables, actor.person.kind]);
    let isPersonal = false;
    return async (event) => {
      const sharing = sharedOf(event);
      const { answers } = sharing;
      const known = isPersonal ? undefined : answers.get(operation);
      if (known !== undefined) {
        const shared = await known;
        if (isForAll(shared)) return { result: shared.result, release: shared.hold() };
      }
      const own = answer(args, actor, event, sharing);
      if (known === undefined && !isPersonal) answers.set(operation, own);
      const answered = await own;
      isPersonal ||= answered.isPersonal;
      return { result: answered.result, release: answered.hold() };
    };
  }

  async function answer(
    args: ExecutionArgs,
    actor: Actor,
    event: unknown,
    { loaders, releases }: SharedEvent,
  ): Promise<Answer> {
    let isPersonal = false;
    const person = watched(actor.person, () => {
      isPersonal = true;
    });
    const contextValue = { ...Object(args.contextValue), ...contextOf({ ...actor, person }, loaders) };
    const budgeted = contextValue.answer;
    const hold = countingHolders(budgeted.release);
    // The event holds it too, for subscribers that receive the event a little later.
    releases.push(hold());
    const result = await resumeAs({ ...actor, person }, () =>
      executeBounded({ ...args, rootValue: event, contextValue }, budgeted),
    ).finally(() => budgeted.complete(null));
    const answered = { result, isPersonal, hold };
    if (isForAll(answered)) writeOnce(result);
    const cursor = memberOf(event, 'cursor');
    if (typeof cursor === 'string') setEventId(result, cursor);
    return answered;
  }

  function sharedOf(event: unknown): SharedEvent {
    const isObject = typeof event === 'object' && event !== null;
    const known = isObject ? sharedEvents.get(event) : undefined;
    if (known !== undefined) return known;
    const sharing: SharedEvent = { loaders: loadersFor(event), answers: new Map(), releases: [] };
    if (isObject) sharedEvents.set(event, sharing);
    setTimeout(() => {
      if (isObject) sharedEvents.delete(event);
      for (const release of sharing.releases) release();
    }, sharedForMs).unref();
    return sharing;
  }

  /** Events that were read together share their loaders, so that their rows are read together too. */
  function loadersFor(event: unknown): Loaders {
    const batch = memberOf(event, 'batch');
    if (typeof batch !== 'object' || batch === null) return createLoaders();
    const known = batchLoaders.get(batch) ?? createLoaders();
    batchLoaders.set(batch, known);
    return known;
  }

  /** The document cache returns the same object for the same text. */
  function numberOf(document: DocumentNode): number {
    const number = numbers.get(document) ?? ++documents;
    numbers.set(document, number);
    return number;
  }
}

/** Releases when the last holder has released. */
function countingHolders(release: () => void): () => () => void {
  let holders = 0;
  return () => {
    holders += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      holders -= 1;
      if (holders === 0) release();
    };
  };
}

function memberOf(event: unknown, name: string): unknown {
  return typeof event === 'object' && event !== null ? Reflect.get(event, name) : undefined;
}

/** Without the variables that say only where a subscription begins: its answers are the same for all. */
function variablesOfAnswers(document: DocumentNode, variables: Readonly<Record<string, unknown>>): object {
  const elsewhere = new Set<string>();
  const inSince = new Set<string>();
  visit(document, {
    [Kind.VARIABLE_DEFINITION]: () => false,
    [Kind.ARGUMENT]: ({ name, value }: ArgumentNode) => {
      if (name.value !== 'since' || value.kind !== Kind.VARIABLE) return undefined;
      inSince.add(value.name.value);
      return false;
    },
    [Kind.VARIABLE]: ({ name }: VariableNode) => void elsewhere.add(name.value),
  });
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => !inSince.has(name) || elsewhere.has(name)),
  );
}

function isForAll({ result, isPersonal }: Answer): boolean {
  return !isPersonal && result.errors === undefined;
}

/** A proxy of the person; reading anything but the role calls `onRead`. */
function watched(person: Person, onRead: () => void): Person {
  const read = <Key extends keyof Person>(key: Key) => {
    onRead();
    return person[key];
  };
  return {
    kind: person.kind,
    get name() {
      return read('name');
    },
    get subject() {
      return read('subject');
    },
    get via() {
      return read('via');
    },
    get until() {
      return read('until');
    },
  };
}

function answerEach(
  events: AsyncIterable<unknown>,
  answer: (event: unknown) => Promise<Held>,
): AsyncIterableIterator<ExecutionResult> {
  const iterator = events[Symbol.asyncIterator]();
  let release = () => {};
  let hasEnded = false;
  return iteratorOf({
    async next() {
      // A request for the next answer means that the previous one was received.
      release();
      const { done, value } = await iterator.next();
      if (done === true) return ended();
      const held = await answer(value);
      release = held.release;
      if (hasEnded) release();
      return { done: false, value: held.result };
    },
    async end() {
      hasEnded = true;
      release();
      await iterator.return?.();
    },
  });
}
