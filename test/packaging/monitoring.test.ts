import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { documentAt } from '../documents/documents.js';
import { aDevice, eventually, stored, upload } from '../support/app.js';
import { areInstalled } from '../support/installed.js';
import { aProgram } from '../support/program.js';
import { labelsIn, metricsIn, type Selector, selectorsIn } from './promql.js';

const PROMETHEUS = packaging('prometheus/');
const TESTS = ['coredock-rules.test.yml', 'coredock-rules-days.test.yml'];
const DASHBOARD = packaging('grafana/coredock.json');
const PROMTOOL = process.env.PROMTOOL ?? 'promtool';

const rules = z
  .object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            alert: z.string(),
            expr: z.string(),
            labels: z.object({ severity: z.enum(['critical', 'warning']) }),
            annotations: z.object({ summary: z.string(), description: z.string() }),
          }),
        ),
      }),
    ),
  })
  .parse(parse(readFileSync(`${PROMETHEUS}coredock-rules.yml`, 'utf8')))
  .groups.flatMap((group) => group.rules);

const dashboard = z
  .looseObject({
    uid: z.string(),
    schemaVersion: z.number().min(36),
    templating: z.object({
      list: z.array(z.looseObject({ name: z.string(), type: z.string(), query: z.unknown() })),
    }),
    panels: z.array(
      z.looseObject({
        id: z.number(),
        type: z.string(),
        title: z.string(),
        description: z.string().optional(),
        gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
        datasource: z.unknown().optional(),
        targets: z
          .array(z.object({ expr: z.string(), datasource: z.unknown().optional() }).loose())
          .default([]),
        fieldConfig: z.looseObject({ defaults: z.looseObject({ unit: z.string() }) }).optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(DASHBOARD, 'utf8')));
const charts = dashboard.panels.filter(({ type }) => type !== 'row');

/** Has all error codes: a test of its own compares them. */
const API = documentAt('docs/api.md');
/** Written by Prometheus itself, or by whoever scrapes. */
const OF_PROMETHEUS = ['up'];
const OF_THE_SCRAPE = ['job', 'instance', 'le'];

describe('rules and dashboard', () => {
  it('name metrics, labels and values that a running server has', async () => {
    const program = await aProgram('start', { environment: { MAX_STORAGE_BYTES: '1000000000' } });
    await leaveTraces(program);
    const text = await (await fetch(`${program.url}/metrics`)).text();
    const metrics = metricsIn(text);
    const selectors = [
      ...rules.map(({ expr }) => expr),
      ...charts.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ].flatMap(selectorsIn);

    expect(selectors.length).toBeGreaterThan(60);
    expect(selectors.flatMap((selector) => problemsOf(selector, metrics))).toEqual([]);
  });
});

describe('the rules', () => {
  it('are each tried by a test', () => {
    const tests = TESTS.map((file) => readFileSync(PROMETHEUS + file, 'utf8')).join('');

    expect(rules.map(({ alert }) => alert).filter((alert) => !tests.includes(alert))).toEqual([]);
  });

  it('are each in the table that says what to do', () => {
    const readme = readFileSync(`${PROMETHEUS}README.md`, 'utf8');

    expect(rules.map(({ alert }) => alert).filter((alert) => !readme.includes(`| \`${alert}\` |`))).toEqual(
      [],
    );
  });

  it.skipIf(!areInstalled(PROMTOOL))('are valid, and pass their tests (needs promtool)', () => {
    for (const args of [
      ['check', 'rules', 'coredock-rules.yml'],
      ['test', 'rules', ...TESTS],
    ]) {
      const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { cwd: PROMETHEUS, encoding: 'utf8' });

      expect({ args, status, output: status === 0 ? '' : stdout + stderr }).toEqual({
        args,
        status: 0,
        output: '',
      });
    }
  });
});

describe('the dashboard', () => {
  it('asks the data source that is chosen above, and says what each panel shows, in which unit', () => {
    expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
    ]);
    for (const { title, description, datasource, targets, fieldConfig } of charts) {
      expect({ title, datasource }).toEqual({
        title,
        datasource: { type: 'prometheus', uid: `\${datasource}` },
      });
      for (const target of targets) expect(target.datasource).toEqual(datasource);
      expect(description, title).not.toBe('');
      expect(fieldConfig?.defaults.unit, title).toMatch(/^(short|s|bytes|none)$/);
    }
  });

  it('has panels that do not overlap, each with its own number', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    const overlapping = dashboard.panels.flatMap(({ gridPos: a, title }, index) =>
      dashboard.panels
        .slice(index + 1)
        .filter(({ gridPos: b }) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h)
        .map((other) => [title, other.title]),
    );

    expect(ids).toEqual([...new Set(ids)]);
    expect(overlapping).toEqual([]);
  });
});

function problemsOf({ metric, labels, values }: Selector, metrics: ReturnType<typeof metricsIn>): string[] {
  if (OF_PROMETHEUS.includes(metric)) return [];
  const samples = metrics.get(metric);
  if (samples === undefined) return [`there is no metric ${metric}`];
  const known = labelsIn(samples);
  const isKnown = (label: string, value: string) =>
    known.get(label)?.has(value) === true || (label === 'code' && API.includes(`\`${value}\``));
  return [
    ...labels
      .filter((label) => !OF_THE_SCRAPE.includes(label) && !known.has(label))
      .map((label) => `${metric} has no label ${label}`),
    ...values
      .filter(([label, value]) => !OF_THE_SCRAPE.includes(label) && !isKnown(label, value))
      .map(([label, value]) => `${metric} has no ${label}="${value}"`),
  ];
}

/** Series that are there only after something has happened. */
async function leaveTraces(program: Awaited<ReturnType<typeof aProgram>>): Promise<void> {
  await aDevice(program as never);
  await stored(program, 'no dump at all');
  await upload(program, 'a dump of nobody', { device: 'nobody' });
  await fetch(`${program.url}/api/iot/boot?model=thermostat&device_serial=SN-1&firmware_version=1.0.0`, {
    method: 'POST',
  });
  await fetch(`${program.url}/graphql?query=${encodeURIComponent(`{${'a: __typename '.repeat(40)}}`)}`);
  await eventually(
    async () => /coredump_parse_errors_total\{/.test(await (await fetch(`${program.url}/metrics`)).text()),
    'the parse has ended',
  );
}

function packaging(path: string): string {
  return fileURLToPath(new URL(`../../packaging/${path}`, import.meta.url));
}
