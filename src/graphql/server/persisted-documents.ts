import { readFile, stat } from 'node:fs/promises';
import { GraphQLError, parse } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { messageOf } from '../../errors.js';
import { parseJson } from '../../platform/json.js';
import { REQUEST_ERROR } from '../limits/document-limits.js';

/** Documents that clients can name by id instead of sending them. */
export interface PersistedDocuments {
  /** By id; code generators use the SHA-256 in hexadecimal. */
  readonly documents: ReadonlyMap<string, string>;
  /** True: only these documents are run. */
  readonly isOnly: boolean;
}

type Params = GraphQLParams & { documentId?: unknown };

/** How many characters of an unknown id an error shows. */
const SHOWN_ID = 80;

/**
 * Reads what GraphQL Code Generator (`persistedDocuments: true`), Relay and others write: a JSON object from id to
 * document.
 *
 * @throws Error with one clear sentence
 */
export async function readPersistedDocuments({
  path,
  isOnly,
}: {
  path: string;
  isOnly: boolean;
}): Promise<PersistedDocuments> {
  const say = (what: string) => new Error(`PERSISTED_DOCUMENTS: ${path} ${what}`);
  const unreadable = (error: unknown): never => {
    throw say(`cannot be read: ${messageOf(error)}`);
  };
  // Reading a named pipe or a device would never end.
  if (!(await stat(path).catch(unreadable)).isFile()) throw say('is no plain file');
  const text = await readFile(path, 'utf8').catch(unreadable);
  const json = parseJson(text);
  const entries = Object.entries(typeof json === 'object' && json !== null ? json : {});
  if (entries.length === 0) throw say('is no JSON object of documents by their ids');
  const documents = new Map<string, string>();
  for (const [id, document] of entries) {
    if (typeof document !== 'string' || !isDocument(document))
      throw say(`has no GraphQL document under "${id}"`);
    documents.set(withoutPrefix(id), document);
  }
  return { documents, isOnly };
}

/**
 * For POST, GET and SSE. WebSocket calls `documentOf` itself, because its operations bypass this hook.
 *
 * @param persisted null where there are none
 */
export function usePersistedDocuments(persisted: PersistedDocuments | null): Plugin {
  return {
    onParams({ params, request, setParams }) {
      // GraphQL over HTTP puts the id beside `query`. Yoga drops unknown parameters of a query string, and refuses
      // unknown members of a body.
      const { documentId = inQueryString(request.url), ...known }: Params = params;
      const query = documentOf(persisted, { ...known, documentId });
      if (query !== null) setParams({ ...known, query });
    },
  };
}

/**
 * The document that a request names by `documentId` (GraphQL over HTTP) or `extensions.persistedQuery.sha256Hash`
 * (Apollo). Nothing is ever added to the persisted documents: a client that sends its document beside an unknown hash,
 * as Apollo's automatic persisted queries do, has it run where that is allowed.
 *
 * @returns null when the request contains its own document
 * @throws GraphQLError for an unknown id, and for a document in the request where only persisted ones are run
 */
export function documentOf(
  persisted: PersistedDocuments | null,
  { documentId, extensions, query = '' }: Pick<Params, 'extensions' | 'documentId' | 'query'>,
): string | null {
  const hash = hashIn(extensions);
  if (persisted === null) {
    if (hash !== null && query === '') throw ofApollo('PersistedQueryNotSupported');
    return null;
  }
  const { documents, isOnly } = persisted;
  const id = typeof documentId === 'string' ? documentId : hash;
  const document = id === null ? undefined : documents.get(withoutPrefix(id));
  if (document !== undefined) return document;
  if (typeof documentId === 'string') {
    throw new GraphQLError(`There is no persisted document "${documentId.slice(0, SHOWN_ID)}".`, {
      extensions: { code: 'BAD_USER_INPUT', http: { status: 404 } },
    });
  }
  if (hash !== null && query === '') throw ofApollo('PersistedQueryNotFound');
  if (!isOnly) return null;
  throw new GraphQLError(
    'This server runs persisted documents only (PERSISTED_DOCUMENTS_ONLY): name one by documentId.',
    { extensions: { code: 'FORBIDDEN', http: { status: 403 } } },
  );
}

/** Apollo's clients know these errors by message or code, and send the document itself next. */
const APOLLO_CODES = {
  PersistedQueryNotFound: 'PERSISTED_QUERY_NOT_FOUND',
  PersistedQueryNotSupported: 'PERSISTED_QUERY_NOT_SUPPORTED',
} as const;

function ofApollo(message: keyof typeof APOLLO_CODES): GraphQLError {
  return new GraphQLError(message, { extensions: { code: APOLLO_CODES[message], http: REQUEST_ERROR } });
}

function hashIn(extensions: Params['extensions']): string | null {
  const persistedQuery: unknown = extensions?.persistedQuery;
  if (typeof persistedQuery !== 'object' || persistedQuery === null || !('sha256Hash' in persistedQuery))
    return null;
  return typeof persistedQuery.sha256Hash === 'string' ? persistedQuery.sha256Hash : null;
}

function inQueryString(url: string): string | undefined {
  return new URL(url, 'http://localhost').searchParams.get('documentId') ?? undefined;
}

/** The GraphQL over HTTP draft writes "sha256:" before the digest. */
function withoutPrefix(id: string): string {
  return id.replace(/^sha256:/, '');
}

function isDocument(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
