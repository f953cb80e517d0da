import { describe, expect, it } from 'vitest';
import { aServer, bearer, type TestApp } from '../support/app.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

interface Answer {
  data: { saveView?: { savedView: { id: string; name: string } } | null } | null;
  errors?: Array<{ message: string; extensions: { code: string; field?: string } }>;
}

async function ask(app: TestApp, token: string, query: string): Promise<Answer> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as Answer;
}

const save = (name: string, address: string) =>
  `mutation { saveView(input: { name: ${JSON.stringify(name)}, address: ${JSON.stringify(address)} }) { savedView { id name } } }`;
const remove = (id: string | undefined) =>
  `mutation { deleteSavedView(input: { id: "${id}" }) { deletedSavedViewId } }`;
const LIST = '{ savedViews { name address canDelete } }';

describe('saved views', () => {
  it('are saved by viewers for everybody; they delete their own, and admins any', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const mine = await ask(app, VIEWER, save('Mine', '/dumps?status=waiting'));
    const admins = await ask(app, ADMIN, save('Open on 1.4', '/groups?version=1.4.0'));

    expect((await ask(app, VIEWER, LIST)).data).toEqual({
      savedViews: [
        { name: 'Mine', address: '/dumps?status=waiting', canDelete: true },
        { name: 'Open on 1.4', address: '/groups?version=1.4.0', canDelete: false },
      ],
    });
    const refused = await ask(app, VIEWER, remove(admins.data?.saveView?.savedView.id));
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', field: 'input.id' });
    const taken = await ask(app, VIEWER, save('Open on 1.4', '/dumps'));
    expect(taken.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', field: 'input.name' });
    await ask(app, VIEWER, save('Mine', '/devices'));
    await ask(app, ADMIN, remove(admins.data?.saveView?.savedView.id));
    expect((await ask(app, ADMIN, LIST)).data).toEqual({
      savedViews: [{ name: 'Mine', address: '/devices', canDelete: true }],
    });
    expect((await ask(app, ADMIN, remove(mine.data?.saveView?.savedView.id))).errors).toBeUndefined();
  });

  it.each([
    '//evil.example/groups',
    'https://evil.example/groups',
    'javascript:alert(1)',
    '/groups/../alerts',
    '/alerts',
    '/groups#x',
    '/groups?a b',
    '\\\\evil.example',
    '/groups\\evil',
    '/dumpsters',
    '',
    `/dumps?q=${'x'.repeat(2_000)}`,
  ])('lead to lists of the page only: not to %j', async (address) => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });

    const { errors } = await ask(app, VIEWER, save('x', address));

    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.address' });
  });
});
