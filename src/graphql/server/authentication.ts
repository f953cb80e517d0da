import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Gatekeeper } from '../../auth/gatekeeper.js';
import { type Person, TokenExpired } from '../../auth/principal.js';
import { DomainError, type DomainErrorCode } from '../../errors.js';
import { failsAt } from '../../platform/async-iterators.js';
import type { Clock } from '../../platform/clock.js';
import type { ClientAddress } from '../../platform/http/client-address.js';
import { RETRY_AFTER_SECONDS, sendGraphQLErrors } from '../../platform/http/send-json.js';
import type { Context } from '../schema/context.js';
import { graphiqlPage } from './graphiql-page.js';
import { TOUR } from './graphiql-tour.js';
import { signInPage } from './sign-in-page.js';

/** Shows browsers a sign-in form, and ends a subscription when its token expires. */
export function createAdmission({
  gatekeeper,
  clientAddress,
  clock,
  refusalOfOrigin,
}: {
  gatekeeper: Pick<Gatekeeper, 'isOn' | 'admit' | 'admitUploaders'>;
  clientAddress: ClientAddress;
  clock: Pick<Clock, 'now'>;
  refusalOfOrigin: (request: IncomingMessage) => string | null;
}) {
  return {
    /**
     * A browser cannot send a header for an address that a person types. So it receives a form for the token; the
     * answer to the form is a GraphiQL that sends the token.
     *
     * @returns true when the request has been answered
     */
    async signIn(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
      if (!gatekeeper.isOn || refusalOfOrigin(request) !== null) return false;
      if (isForm(request)) {
        const token = new URLSearchParams(await readForm(request)).get('token')?.trim() ?? '';
        try {
          await gatekeeper.admit(clientAddress(request), `Bearer ${token}`);
          sendPage(response, 200, graphiqlPage(graphiqlOptions(`Bearer ${token}`)));
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
          sendPage(response, setRefusal(response, error), signInPage(error.message));
        }
        return true;
      }
      if (!isVisit(request) || request.headers.authorization !== undefined) return false;
      sendPage(response, 401, signInPage());
      return true;
    },

    /** Identifies who sends an operation. GraphiQL is for those who can use it: not for uploaders. */
    identify(request: IncomingMessage): Promise<Person> {
      const { authorization } = request.headers;
      const address = clientAddress(request);
      return isVisit(request)
        ? gatekeeper.admit(address, authorization)
        : gatekeeper.admitUploaders(address, authorization);
    },

    /**
     * Fails each subscription when its token expires, and checks the token again before each event. The transports end
     * it in the way that makes the client subscribe again, with a new token if it has one.
     */
    endWithToken: {
      onSubscribe: ({ args }) => ({
        onSubscribeResult({ result, setResult }) {
          const { person } = args.contextValue;
          const { until } = person;
          if (until === null || !(Symbol.asyncIterator in result)) return;
          setResult(
            failsAt(result, {
              remainingMs: () => until.getTime() - clock.now().getTime(),
              error: () => asGraphQLError(new TokenExpired()),
            }),
          );
        },
      }),
    } satisfies Plugin<Context>,
  };
}

/** HTTP statuses of a refusal before the operation is read; later errors are part of the answer. */
const STATUS: Partial<Record<DomainErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 403,
  RATE_LIMITED: 429,
};

/** Answers a request without valid credentials. @param error as clients may see it */
export function refuse(response: ServerResponse, thrown: unknown, error: GraphQLError): void {
  const status = setRefusal(response, thrown);
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  sendGraphQLErrors(response, status, [error]);
}

/** Sets the headers that the status requires. @returns the status */
function setRefusal(response: ServerResponse, thrown: unknown): number {
  const error = thrown instanceof DomainError ? thrown : null;
  const status = (error === null ? undefined : STATUS[error.code]) ?? 503;
  if (status === 503 || status === 429) {
    response.setHeader('Retry-After', error?.retryAfterSeconds ?? RETRY_AFTER_SECONDS);
  }
  return status;
}

export function graphiqlOptions(authorization?: string) {
  const page = { title: 'Coredock', defaultTabs: [...TOUR] };
  if (authorization === undefined) return page;
  const headers = JSON.stringify({ Authorization: authorization }, null, 2);
  // Shown in the header editor, where a person can change it; never in the browser's storage.
  return {
    ...page,
    defaultTabs: TOUR.map((stop) => ({ ...stop, headers })),
    headers,
    defaultHeaders: headers,
    shouldPersistHeaders: false,
  };
}

function asGraphQLError(error: DomainError): GraphQLError {
  return new GraphQLError(error.message, { originalError: error, extensions: { code: error.code } });
}

/** A token and its name. */
const MAX_FORM_BYTES = 32 * 1024;

function isVisit({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.accept?.includes('text/html') === true;
}

function isForm({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' && headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  );
}

async function readForm(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_FORM_BYTES) return '';
  }
  return text;
}

function sendPage(response: ServerResponse, status: number, html: string): void {
  response
    .writeHead(status, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(html),
      'Cache-Control': 'no-store',
      // With "no-referrer" browsers send "Origin: null" from the form, and our own form would be refused as foreign.
      'Referrer-Policy': 'same-origin',
    })
    .end(html);
}
