import { print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { parsedWith } from '../support/named-build.js';

const SET_LINKS = graphql(`
  mutation SetLinks($input: UpdateModelLinksInput!) {
    updateModelLinks(input: $input) {
      deviceModel { links { sourceUrl sourcePrefixes compareUrl ticketUrl deviceUrl } }
    }
  }
`);
const LINKS_OF_DUMPS = graphql(`
  query LinksOfDumps {
    coredumps(first: 10) {
      nodes {
        device { externalUrl }
        markdown
        crashGroup { newTicketUrl }
        report { tasks { frames { function sourceUrl } } }
      }
    }
  }
`);
const LISTED_LINKS = graphql(`
  query ListedLinks($key: String!) {
    device(key: $key) { coredumps(first: 1) { nodes { report { tasks { frames { sourceUrl } } } } } }
  }
`);
const ALL = {
  sourceUrl: 'https://github.com/acme/fw/blob/{revision}/{path}#L{line}',
  sourcePrefixes: ['/builds/app'],
  compareUrl: 'https://github.com/acme/fw/compare/{from}...{to}',
  ticketUrl: 'https://github.com/acme/fw/issues/new?title={title}&body={body}',
  deviceUrl: 'https://fleet.example.com/{model}/{key}',
};

describe('links of a model', () => {
  it('lead from frames of own code, devices and groups to where the team works', async () => {
    const { endpoint, model, device } = await aCrashWithRevision();

    await endpoint.ask(SET_LINKS, { input: { modelCode: model.code, ...ALL } });
    const [crash] = (await endpoint.ask(LINKS_OF_DUMPS, {})).coredumps.nodes;

    const line = 'https://github.com/acme/fw/blob/9f3c2a1/main/sensor_read.c#L88';
    expect(crash?.report?.tasks[0]?.frames).toEqual([
      { function: 'panic_abort', sourceUrl: null },
      { function: 'sensor_read', sourceUrl: line },
    ]);
    expect(crash?.markdown).toContain(line);
    expect(crash?.device.externalUrl).toBe(`https://fleet.example.com/${model.code}/${device.key}`);
    const ticket = new URL(crash?.crashGroup?.newTicketUrl ?? '').searchParams;
    expect(ticket.get('title')).toBe('LoadProhibited in sensor_read (sensor_read.c)');
    expect(ticket.get('body')).toMatch(
      /^`LoadProhibited at 0x00000010`\n\n1 crash on 1 device, in `1\.4\.0`\.\n\nhttp:\/\/127\.0\.0\.1:\d+\/groups\//,
    );
  });

  it('are read for a list of dumps too', async () => {
    const { endpoint, model, device } = await aCrashWithRevision();
    await endpoint.ask(SET_LINKS, { input: { modelCode: model.code, ...ALL } });

    const { device: answer } = await endpoint.ask(LISTED_LINKS, { key: device.key });

    expect(answer?.coredumps.nodes[0]?.report?.tasks[0]?.frames[1]?.sourceUrl).toMatch(/^https:\/\/github/);
  });

  it('keep what is left out, and go with null', async () => {
    const { endpoint, model } = await aCrashWithRevision();
    const set = async (changes: object) =>
      (await endpoint.ask(SET_LINKS, { input: { modelCode: model.code, ...changes } })).updateModelLinks
        .deviceModel.links;
    await set(ALL);

    expect(await set({ ticketUrl: null })).toEqual({ ...ALL, ticketUrl: null });
    expect(await set({ sourcePrefixes: ['/a', 'C:\\b'] })).toMatchObject({ sourcePrefixes: ['/a', 'C:\\b'] });
    expect(await set({ sourcePrefixes: null })).toMatchObject({ sourcePrefixes: [] });
    const [event] = await endpoint.db.auditEvent.findMany({ orderBy: { id: 'asc' }, take: 1 });
    expect(event).toMatchObject({ action: 'updateModelLinks', target: model.code });
    expect(event?.detail).toContain('sourceUrl: https://github.com/acme/fw/blob');
  });

  it('are refused by name when they could lead astray', async () => {
    const { endpoint, model } = await aCrashWithRevision();

    const { errors } = await endpoint.send(print(SET_LINKS), {
      input: { modelCode: model.code, deviceUrl: 'https://{key}.example.com/' },
    });

    expect(errors).toMatchObject([
      {
        message: 'deviceUrl needs a host name without placeholders after "https://".',
        extensions: { code: 'BAD_USER_INPUT', field: 'input.deviceUrl' },
      },
    ]);
  });
});

async function aCrashWithRevision() {
  const endpoint = await aGraphQLEndpoint();
  const model = await endpoint.fleet.aModel();
  const device = await endpoint.fleet.aDevice(model);
  const build = await endpoint.fleet.aFirmware(model, { version: '1.4.0' });
  await endpoint.db.firmware.update({ where: { id: build.id }, data: { revision: '9f3c2a1' } });
  const dump = await endpoint.fleet.aDump(device, { firmwareVersion: '1.5.0' });
  await parsedWith(endpoint, dump, { build });
  return { endpoint, model, device };
}
