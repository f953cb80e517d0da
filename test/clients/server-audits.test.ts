import { serverAudits } from 'graphql-http';
import { expect, it } from 'vitest';
import { aGraphQLEndpoint } from '../support/graphql-server.js';

it('audits', async () => {
  const { url } = await aGraphQLEndpoint();
  const audits = serverAudits({ url, fetchFn: fetch });
  const results = [];
  for (const audit of audits) results.push(await audit.fn());
  console.log(audits.length, results.filter((r) => r.status !== 'ok').map((r) => `${r.id} ${r.name} ${'reason' in r ? r.reason : ''}`));
  expect(1).toBe(1);
});
