import { PothosValidationError } from '@pothos/core';
import { type DocumentNode, GraphQLError, type GraphQLErrorExtensions } from 'graphql';
import { DomainError, type DomainErrorCode } from '../../errors.js';
import { asDomainError } from '../../platform/database/errors.js';
import { originOf } from './error-mask.js';

/** An error of an execution in a form that can be sent to another thread, which masks and logs it. */
export interface SentError {
  message: string;
  extensions: GraphQLErrorExtensions;
  path: ReadonlyArray<string | number> | undefined;
  /** Offsets in the document. */
  positions: readonly number[] | undefined;
  /** The error that a resolver threw; null for errors of graphql itself. */
  origin: SentOrigin | null;
}

type SentOrigin =
  | {
      kind: 'domain';
      code: DomainErrorCode;
      message: string;
      retryAfterSeconds: number | undefined;
      field: string | undefined;
      cause: SentCause | null;
    }
  | { kind: 'validation'; message: string }
  | ({ kind: 'unexpected' } & SentCause);

interface SentCause {
  name: string;
  message: string;
  stack: string | undefined;
}

export function sentError(error: GraphQLError): SentError {
  const original = asDomainError(originOf(error));
  const { message, extensions } = original instanceof GraphQLError ? original : error;
  return { message, extensions, path: error.path, positions: error.positions, origin: sentOrigin(original) };
}

/** @param document of the execution */
export function receivedError({ origin, ...sent }: SentError, document: DocumentNode): GraphQLError {
  return new GraphQLError(sent.message, {
    ...sent,
    source: document.loc?.source,
    originalError: origin === null ? null : receivedOrigin(origin),
  });
}

function sentOrigin(original: unknown): SentOrigin | null {
  if (original instanceof GraphQLError) return null;
  if (original instanceof DomainError) {
    const { code, message, retryAfterSeconds, field, cause } = original;
    return {
      kind: 'domain',
      code,
      message,
      retryAfterSeconds,
      field,
      cause: cause === undefined ? null : sentCause(cause),
    };
  }
  if (original instanceof PothosValidationError) return { kind: 'validation', message: original.message };
  return { kind: 'unexpected', ...sentCause(original) };
}

function sentCause(cause: unknown): SentCause {
  if (!(cause instanceof Error)) return { name: 'Error', message: String(cause), stack: undefined };
  return { name: cause.name, message: cause.message, stack: cause.stack };
}

function receivedOrigin(origin: SentOrigin): Error {
  switch (origin.kind) {
    case 'domain': {
      const { code, message, retryAfterSeconds, field, cause } = origin;
      return new DomainError(code, message, {
        retryAfterSeconds,
        field,
        ...(cause === null ? {} : { cause: receivedCause(cause) }),
      });
    }
    case 'validation':
      return new PothosValidationError(origin.message);
    default:
      return receivedCause(origin);
  }
}

function receivedCause({ name, message, stack }: SentCause): Error {
  return Object.assign(new Error(message), { name, ...(stack === undefined ? {} : { stack }) });
}
