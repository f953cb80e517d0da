import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { SETTING_NAMES, settings } from '../../src/config/schema.js';
import { readText } from '../documents/documents.js';

const hardened = {
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
};
const anyService = z.looseObject({
  ...hardened,
  image: z.string(),
  profiles: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string().nullable()).optional(),
  volumes: z.array(z.string()),
  depends_on: z.record(z.string(), z.looseObject({ condition: z.string() })).optional(),
  configs: z.array(z.object({ source: z.string(), target: z.string() })).optional(),
});
const ours = anyService.extend({ read_only: z.literal(true), tmpfs: z.tuple([z.literal('/tmp')]) });
const compose = z
  .looseObject({
    services: z.object({
      init: ours.extend({ entrypoint: z.array(z.string()), network_mode: z.literal('none') }),
      coredock: ours.extend({ stop_grace_period: z.string(), restart: z.literal('unless-stopped') }),
      postgresql: anyService,
      s3: anyService,
    }),
    volumes: z.record(z.string(), z.null()),
    configs: z.record(z.string(), z.object({ content: z.string() })),
  })
  .parse(parse(readText('compose.yaml'), { merge: true }));
const { init, coredock, postgresql, s3 } = compose.services;

describe('compose.yaml', () => {
  it('names the image of this version', () => {
    const { version } = JSON.parse(readText('package.json')) as { version: string };

    expect(coredock.image).toBe(`\${COREDOCK_IMAGE:-ghcr.io/coredock/coredock:${version}}`);
  });

  it('sets settings that there are, and leaves those without a value to /data/.env', () => {
    const names = Object.keys(coredock.environment ?? {});

    expect(names.filter((name) => !SETTING_NAMES.includes(name))).toEqual([]);
    // What is set here, even to nothing, wins over the file.
    for (const [name, value] of Object.entries(coredock.environment ?? {})) {
      if (value !== null) expect(value, name).toMatch(/^\$\{\w+:-.+\}$/);
    }
  });

  it('makes tokens before the server starts, once', () => {
    expect(coredock.depends_on?.init).toEqual({ condition: 'service_completed_successfully' });
    expect(init.entrypoint).toEqual(['sh', '-c', 'test -e .env || exec coredock init']);
    expect(init.volumes).toEqual(coredock.volumes);
  });

  it('waits for PostgreSQL and S3 only where their profiles are chosen', () => {
    for (const [name, service] of Object.entries({ postgresql, s3 })) {
      expect(coredock.depends_on?.[name]).toEqual({ condition: 'service_healthy', required: false });
      expect(service.profiles).toEqual([name]);
    }
    expect(coredock.profiles).toBeUndefined();
  });

  it('lets a stop take as long as the server may', () => {
    const graceMs = settings.parse({}).SHUTDOWN_GRACE_MS;

    expect(Number.parseInt(coredock.stop_grace_period, 10) * 1000).toBeGreaterThan(2 * graceMs + 10_000);
  });

  it('declares the volumes and files that its services use', () => {
    const used = Object.values(compose.services).flatMap(({ volumes }) =>
      volumes.map((volume) => volume.split(':')[0]),
    );

    expect([...new Set(used)].sort()).toEqual(Object.keys(compose.volumes).sort());
    expect(s3.configs?.map(({ source }) => source)).toEqual(Object.keys(compose.configs));
  });
});

describe('.dockerignore', () => {
  it('lets into the image only what is named, and no settings or data of this machine', () => {
    const lines = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));

    expect(lines[0]).toBe('**');
    expect(lines).not.toContain('!.env');
    for (const needed of ['package.json', 'package-lock.json', '.npmrc', 'src', 'prisma', 'coredock-*.tgz']) {
      expect(lines).toContain(`!${needed}`);
    }
  });
});
