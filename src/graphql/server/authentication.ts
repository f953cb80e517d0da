import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { currentActor } from '../../auth/actor.js';
import type { Gatekeeper } from '../../auth/gatekeeper.js';
import { type Person, TokenExpired } from '../../auth/principal.js';
import { type HeldSession, SessionEnded } from '../../auth/session-lookup.js';
import { DomainError, type DomainErrorCode } from '../../errors.js';
import { failsAt } from '../../platform/async-iterators.js';
import type { Clock } from '../../platform/clock.js';
import type { ClientAddress } from '../../platform/http/client-address.js';
import { RETRY_AFTER_SECONDS, sendGraphQLErrors } from '../../platform/http/send-json.js';
import type { Context } from '../schema/context.js';
import { TOUR } from './graphiql-tour.js';
import { arrivalPage, signInPage } from './sign-in-page.js';
import { EVENT_STREAM } from './sse.js';

/** The sessions of browsers, as this transport needs them. */
export interface GraphQLSessions {
  /** The secret of the request's cookie; undefined without one, and where it does not count. */
  secretOf(request: IncomingMessage): string | undefined;
  /** Begins a session, and sets its cookie. */
  begin(
    visit: { request: IncomingMessage; response: ServerResponse; requestId: string },
    person: Person,
    credentials: { token: string },
  ): Promise<unknown>;
}

/** Who was admitted, and the session of a connection that stays open. */
export interface Admitted {
  person: Person;
  session?: HeldSession | undefined;
}

/** Shows browsers a sign-in form, and ends a subscription when its token expires. */
export function createAdmission({
  gatekeeper,
  clientAddress,
  clock,
  pageSessions,
  refusalOfOrigin,
}: {
  gatekeeper: Pick<Gatekeeper, 'isOn' | 'admit' | 'admitUploaders' | 'admitForLong'>;
  clientAddress: ClientAddress;
  clock: Pick<Clock, 'now'>;
  pageSessions: GraphQLSessions;
  refusalOfOrigin: (request: IncomingMessage) => string | null;
}) {
  return {
    /**
     * A browser cannot send a header for an address that a person types. So who has no session receives a form for the
     * token, and the form begins one.
     *
     * @returns true when the request has been answered
     */
    async signIn(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<boolean> {
      if (!gatekeeper.isOn || refusalOfOrigin(request) !== null) return false;
      if (isForm(request)) {
        const token = new URLSearchParams(await readForm(request)).get('token')?.trim() ?? '';
        try {
          const person = await gatekeeper.admit(clientAddress(request), `Bearer ${token}`);
          await pageSessions.begin({ request, response, requestId }, person, { token });
          // A reload of the page that follows does not send the form again.
          response.writeHead(303, { Location: hereOf(request) }).end();
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
          sendPage(response, setRefusal(response, error), signInPage(error.message));
        }
        return true;
      }
      if (!isVisit(request) || request.headers.authorization !== undefined) return false;
      if (await hasSession(request)) return false;
      sendPage(response, 401, isLinkOfOthers(request) ? arrivalPage(hereOf(request)) : signInPage());
      return true;
    },

    /** Identifies who sends an operation. GraphiQL is for those who can use it: not for uploaders. */
    async identify(request: IncomingMessage, response: ServerResponse): Promise<Admitted> {
      const { authorization } = request.headers;
      const secret = pageSessions.secretOf(request);
      const address = clientAddress(request);
      if (isVisit(request)) return { person: await gatekeeper.admit(address, authorization, secret) };
      if (gatekeeper.isOn && isEventStream(request) && authorization === undefined && secret !== undefined) {
        const session = await gatekeeper.admitForLong(secret);
        if (response.closed) session.release();
        response.once('close', session.release);
        return { person: session.person, session };
      }
      return { person: await gatekeeper.admitUploaders(address, authorization, secret) };
    },

    /**
     * Fails each subscription when its token expires or its session ends, and checks both again before each event. The
     * transports end it in the way that makes the client subscribe again, with a new token if it has one.
     */
    endWithToken: {
      onSubscribe: ({ args }) => ({
        onSubscribeResult({ result, setResult }) {
          const session = currentActor()?.session;
          const { until } = args.contextValue.person;
          if ((until === null && session === undefined) || !(Symbol.asyncIterator in result)) return;
          const ofToken = () =>
            until === null ? Number.POSITIVE_INFINITY : until.getTime() - clock.now().getTime();
          setResult(
            failsAt(result, {
              remainingMs: session?.remainingMs ?? ofToken,
              error: () => asGraphQLError(reasonOf(session) ?? new TokenExpired()),
              sooner: session?.ended,
            }),
          );
        },
      }),
    } satisfies Plugin<Context>,
  };

  async function hasSession(request: IncomingMessage): Promise<boolean> {
    const secret = pageSessions.secretOf(request);
    if (secret === undefined) return false;
    try {
      await gatekeeper.admit(clientAddress(request), undefined, secret);
      return true;
    } catch (error) {
      if (error instanceof SessionEnded) return false;
      throw error;
    }
  }
}

function reasonOf(session: HeldSession | undefined): DomainError | null {
  return session?.ended.reason instanceof DomainError ? session.ended.reason : null;
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

function isEventStream({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes(EVENT_STREAM) === true;
}

/** A browser does not send the cookie with a link that it follows from a page of another site. */
function isLinkOfOthers({ headers }: IncomingMessage): boolean {
  const { 'sec-fetch-site': site } = headers;
  return site === 'cross-site' || site === 'same-site';
}

/** The address of the request, relative to itself: a proxy may have removed the beginning of its path. */
function hereOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return `graphql${query === -1 ? '' : url.slice(query)}`;
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
