import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { Gatekeeper } from '../auth/gatekeeper.js';
import type { Person } from '../auth/principal.js';
import { badInput, conflict, DomainError } from '../errors.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendJson } from '../platform/http/send-json.js';
import { parseJson } from '../platform/json.js';
import type { Sessions } from '../sessions/service.js';
import { hasBody } from './body.js';
import type { CrossOrigin } from './cors.js';
import type { Exchange } from './exchange.js';
import type { PageSessions } from './page-sessions.js';

/** Refresh tokens of issuers have some hundred bytes, and some thousand. */
const MAX_BODY_BYTES = 32 * 1024;

interface SessionDeps {
  gatekeeper: Pick<Gatekeeper, 'isOn' | 'admitUploaders'>;
  sessions: Pick<Sessions, 'endAll'>;
  pageSessions: PageSessions;
  crossOrigin: Pick<CrossOrigin, 'refusalOf'>;
  clientAddress: ClientAddress;
}

/**
 * `/api/session` (docs/authentication.md): `POST` with a token begins a session of the browser, `GET` says whose it is,
 * `DELETE` ends it, or all of the person.
 */
export function createSessionRoute(deps: SessionDeps) {
  return function session(exchange: Exchange): Promise<void> {
    switch (exchange.request.method) {
      case 'POST':
        return signIn(deps, exchange);
      case 'DELETE':
        return signOut(deps, exchange);
      default:
        return whoAmI(deps, exchange);
    }
  };
}

/** What people and their page may know of a session. Never its secret. */
export function sessionInfo({ name, kind, via, until }: Person) {
  return { name, role: kind, via, expiresAt: until?.toISOString() ?? null };
}

async function signIn(
  { gatekeeper, pageSessions, crossOrigin, clientAddress }: SessionDeps,
  exchange: Exchange,
): Promise<void> {
  const { request, response } = exchange;
  const { authorization } = request.headers;
  if (!gatekeeper.isOn) throw conflict('Authentication is off here: nobody needs to sign in.');
  const foreign = crossOrigin.refusalOf(request);
  if (foreign !== null) throw new DomainError('FORBIDDEN', foreign);
  const person = await gatekeeper.admitUploaders(clientAddress(request), authorization);
  const refreshToken = await refreshTokenOf(request);
  const token = authorization?.replace(/^Bearer +/i, '').trim() ?? '';
  const begun = await pageSessions.begin(exchange, person, { token, refreshToken });
  sendJson(response, 200, sessionInfo(begun));
}

async function whoAmI(
  { gatekeeper, pageSessions, clientAddress }: SessionDeps,
  { request, response }: Exchange,
): Promise<void> {
  response.appendHeader('Vary', 'Cookie');
  const person = await gatekeeper.admitUploaders(
    clientAddress(request),
    request.headers.authorization,
    pageSessions.secretOf(request),
  );
  sendJson(response, 200, sessionInfo(person));
}

async function signOut(
  { gatekeeper, sessions, pageSessions, clientAddress }: SessionDeps,
  exchange: Exchange,
): Promise<void> {
  const { request, response, requestId, search } = exchange;
  const { authorization } = request.headers;
  const isEverywhere = readEverywhere(search);
  if (authorization !== undefined) {
    const address = clientAddress(request);
    const person = await gatekeeper.admitUploaders(address, authorization);
    if (!isEverywhere) {
      throw badInput(
        'A token is no session that could end: add ?everywhere=true to end all sessions that it began.',
      );
    }
    await sessions.endAll(person, { address, requestId });
  } else {
    const secret = pageSessions.secretOf(request);
    if (secret === undefined)
      throw new DomainError('UNAUTHENTICATED', 'Nobody is signed in with this browser.');
    await pageSessions.end(exchange, secret, isEverywhere);
  }
  response.writeHead(204).end();
}

function readEverywhere(search: string): boolean {
  const value = new URLSearchParams(search).get('everywhere') ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw badInput('everywhere must be true or false.', { field: 'everywhere' });
}

const bodySchema = z.object({ refreshToken: z.string().max(16_384).nullish() });

/** @throws DomainError BAD_USER_INPUT, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE */
async function refreshTokenOf(request: IncomingMessage): Promise<string | null> {
  if (!hasBody(request)) return null;
  if (request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON: Content-Type: application/json.');
  }
  const parsed = bodySchema.safeParse(parseJson(await textOf(request)));
  if (parsed.success) return parsed.data.refreshToken ?? null;
  throw badInput('The body must be a JSON object with "refreshToken", or absent.', { field: 'refreshToken' });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) {
      throw new DomainError('TOO_LARGE', `The body of a sign-in has at most ${MAX_BODY_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
