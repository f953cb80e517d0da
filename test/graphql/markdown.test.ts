import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aReport } from '../support/crash-groups.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';

const MARKDOWN = graphql(`query MarkdownOfDump($id: ID!) { coredump(id: $id) { markdown } }`);
const MARKDOWNS = graphql(`query MarkdownOfDumps { coredumps(first: 50) { nodes { markdown } } }`);

/** A report with a secret in the memory that it shows. */
function aTellingReport() {
  const report = aReport();
  const [task] = report.tasks;
  const [frame] = task?.frames ?? [];
  if (task === undefined || frame === undefined) throw new Error('the report has no frame');
  const sent = { ...frame, arguments: [{ name: 'key', value: '0x3fc8ea9c "hunter2"' }] };
  return { ...report, logLines: ['password hunter2'], tasks: [{ ...task, frames: [sent] }] };
}

describe('Coredump.markdown', () => {
  it('has what the dump, its device and its build say, and no memory, for admins either', async () => {
    const endpoint = await aGraphQLEndpoint({ environment: { PUBLIC_URL: 'https://coredock.example/on' } });
    const model = await endpoint.fleet.aModel({ code: 'thermostat', name: 'Thermostat' });
    const device = await endpoint.fleet.aDevice(model, { key: 'dev1', name: 'Kitchen' });
    const build = await endpoint.fleet.aFirmware(model, { version: '1.4.0' });
    const dump = await endpoint.fleet.aDump(device, {
      ...{ parseStatus: 'PARSED', output: 'text', report: aTellingReport(), firmwareId: build.id },
    });

    const { coredump } = await endpoint.ask(MARKDOWN, { id: dump.globalId });

    const id = encodeURIComponent(dump.globalId);
    expect(coredump?.markdown).toContain(`<https://coredock.example/on/dumps/${id}>`);
    expect(coredump?.markdown).toContain('Thermostat (`thermostat`)');
    expect(coredump?.markdown).toContain(`\`1.4.0\`, ELF \`${build.elfSha256}\``);
    expect(coredump?.markdown).toContain('panic_abort (key=0x3fc8ea9c <redacted>)');
    expect(coredump?.markdown).not.toContain('hunter2');
    expect(await endpoint.coredumps.markdown(dump.id)).toBe(coredump?.markdown);
  });

  it('says of a dump without a report why there is none', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const pending = await endpoint.fleet.aDump(device);
    const broken = await endpoint.fleet.aDump(device, {
      ...{ parseStatus: 'ERROR', output: 'Unable to parse coredump: it is a JPEG picture' },
    });

    const texts = [pending, broken].map(({ globalId: id }) => endpoint.ask(MARKDOWN, { id }));
    const [waiting, unreadable] = (await Promise.all(texts)).map(({ coredump }) => coredump?.markdown);

    expect(waiting).toContain('The server has not read this dump yet.');
    expect(unreadable).toContain('```text\nUnable to parse coredump: it is a JPEG picture\n```');
  });

  it('takes as many statements for fifty dumps as for one', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const aDump = () =>
      endpoint.fleet.aDump(device, { parseStatus: 'PARSED', output: 'text', report: aTellingReport() });
    await aDump();
    const one = await endpoint.statementsOf(() => endpoint.ask(MARKDOWNS, {}));
    for (let more = 0; more < 10; more += 1) await aDump();

    const many = await endpoint.statementsOf(() => endpoint.ask(MARKDOWNS, {}));

    expect(many).toHaveLength(one.length);
  });
});
