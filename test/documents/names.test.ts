import { describe, expect, it } from 'vitest';
import { DomainError, type DomainErrorCode } from '../../src/errors.js';
import { createErrorMask, OWN_CODES } from '../../src/graphql/server/error-mask.js';
import { sendError } from '../../src/http/errors.js';
import { createLogger } from '../../src/platform/logger.js';
import { aServer } from '../support/app.js';
import { CURRENT, codeOf, documentAt, found, tableAfter } from './documents.js';

const log = createLogger({ logLevel: 'silent' });

/** Of the firmware, and no metric. */
const DEVICE_FUNCTION = 'coredock_upload';

/** All of them: the compiler says when one is missing. */
const CODES = Object.keys({
  BAD_USER_INPUT: true,
  UNAUTHENTICATED: true,
  FORBIDDEN: true,
  NOT_FOUND: true,
  CONFLICT: true,
  GONE: true,
  TOO_LARGE: true,
  UNSUPPORTED_MEDIA_TYPE: true,
  BODY_STALLED: true,
  BODY_ABORTED: true,
  STORAGE_FULL: true,
  UNAVAILABLE: true,
  BUSY: true,
  RATE_LIMITED: true,
  PARSER_NOT_CONFIGURED: true,
} satisfies Record<DomainErrorCode, true>) as DomainErrorCode[];

describe('error codes', () => {
  const map = tableAfter(documentAt('ARCHITECTURE.md'), '| `DomainError` code | HTTP | GraphQL |');
  const plain = (cell = '') => cell.replaceAll('`', '');

  it('are mapped in ARCHITECTURE.md as the program maps them', () => {
    const mapped = CODES.map((code) => [code, statusOf(code), graphqlCodeOf(code)]).sort();
    const documented = map
      .slice(0, -1)
      .map(([code, status, name]) => [plain(code), Number(status), plain(name)]);

    expect(documented.sort()).toEqual(mapped);
  });

  it('of REST are all in docs/api.md, with their status', () => {
    const rows = tableAfter(documentAt('docs/api.md'), '| `error.code` | status | meaning |');
    const documented = rows.map(([code, status]) => [plain(code), Number(status)]);

    expect(documented.sort()).toEqual(
      [...CODES.map((code) => [code, statusOf(code)]), ['INTERNAL_SERVER_ERROR', 500]].sort(),
    );
  });

  it('of GraphQL are all in docs/api.md', () => {
    const rows = tableAfter(documentAt('docs/api.md'), '| `extensions.code` | meaning |');

    expect(rows.map(([code]) => plain(code)).sort()).toEqual(
      [...new Set([...CODES.map(graphqlCodeOf), ...OWN_CODES])].sort(),
    );
  });
});

describe('metrics', () => {
  it('are in docs/operations.md, every one, and no document names another', async () => {
    const { url } = await aServer({ PARSE_SIDECAR_URL: '', MAX_STORAGE_BYTES: '1000000000' });
    const told = await (await fetch(`${url}/metrics`)).text();
    const existing = found(told, /^# TYPE (\w+) /gm).filter((name) => !/^(process|nodejs)_/.test(name));
    const rows = tableAfter(documentAt('docs/operations.md'), '| metric | what it counts |');

    const documented = rows.flatMap(([name = '']) => found(name, /`(\w+)/g));
    const mentioned = CURRENT.flatMap(({ text }) =>
      found(codeOf(text), /(?<![\w/.$-])((?:iot|coredump|coredock|http|graphql)_[a-z_]+)(?![\w/.(-])/g),
    );

    expect(documented.sort()).toEqual([...existing].sort());
    expect(mentioned.filter((name) => !existing.includes(name) && name !== DEVICE_FUNCTION)).toEqual([]);
  });
});

function statusOf(code: DomainErrorCode): number {
  let status = 0;
  const response = {
    destroyed: false,
    headersSent: false,
    setHeader() {},
    writeHead(given: number) {
      status = given;
    },
    write() {},
    end() {},
  };
  sendError(response as never, new DomainError(code, 'It failed.'), log);
  return status;
}

function graphqlCodeOf(code: DomainErrorCode): unknown {
  return createErrorMask(log)(new DomainError(code, 'It failed.'), 'request').extensions.code;
}
