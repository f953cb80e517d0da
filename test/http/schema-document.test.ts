import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { printedSchema } from '../../src/graphql/schema/printed-schema.js';
import { aServer, bearer, type TestApp } from '../support/app.js';
import { STATIC_TOKENS, VIEWER } from '../support/people.js';

describe('GET /schema.graphql', () => {
  it('is the schema of this server, as text', async () => {
    const app = await aServer();

    const response = await fetch(addressIn(app));
    const text = await response.text();

    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(text).toBe(printedSchema());
    expect(buildSchema(text).getQueryType()?.getFields()).toHaveProperty('coredumps');
  });

  it('is not sent again to who has it', async () => {
    const app = await aServer();
    const first = await fetch(addressIn(app));
    const etag = first.headers.get('etag') ?? '';

    const again = await fetch(addressIn(app), { headers: { 'If-None-Match': etag } });
    const other = await fetch(addressIn(app), { headers: { 'If-None-Match': '"another"' } });
    const head = await fetch(addressIn(app), { method: 'HEAD' });

    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    expect(other.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(await first.text())));
  });

  it('is for viewers where authentication is on', async () => {
    const app = await aServer(STATIC_TOKENS);

    expect((await fetch(addressIn(app))).status).toBe(401);
    expect((await fetch(addressIn(app), { headers: bearer(VIEWER) })).status).toBe(200);
  });
});

function addressIn({ url }: TestApp): string {
  return `${url}/schema.graphql`;
}
