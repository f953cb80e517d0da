import { type AuditResult, serverAudits } from 'graphql-http';
import { expect, it } from 'vitest';
import { aGraphQLEndpoint } from '../support/graphql-server.js';

it('passes every audit of graphql-http: what a server of GraphQL over HTTP must, should and may do', async () => {
  const { url } = await aGraphQLEndpoint();
  const audits = serverAudits({ url, fetchFn: fetch });

  const results: AuditResult[] = [];
  for (const audit of audits) results.push(await audit.fn());

  expect(audits.length).toBeGreaterThan(60);
  expect(results.filter(({ status }) => status !== 'ok')).toEqual([]);
});
