import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import type { S3Settings } from '../../src/platform/blobs/s3/s3-settings.js';

export interface S3Server {
  url(): string;
  /** The settings of a server with a new, empty bucket. */
  newBucket(): Promise<S3Environment>;
  /** Every object of a bucket, whoever has put it there. */
  objects(environment: S3Environment): Promise<string[]>;
  /** Takes objects away whose key ends so. */
  remove(environment: Record<string, string>, ending: string): Promise<void>;
}

/** One that a test lets die. */
export interface MortalS3Server extends S3Server {
  /** With SIGKILL. */
  kill(): Promise<void>;
  /** At the same address, with what it had. */
  startAgain(): Promise<void>;
  /** As if every object of a bucket had been written then. */
  age(environment: S3Environment, writtenAt: Date): Promise<void>;
  close(): Promise<void>;
}

export interface S3Environment extends Record<string, string> {
  S3_BUCKET: string;
  S3_ENDPOINT: string;
  S3_ACCESS_KEY_ID: string;
  S3_SECRET_ACCESS_KEY: string;
}

/** The one account that s3rver knows. */
const ACCOUNT = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** A server for the tests of a file. */
export function useS3Server(): S3Server {
  let server: MortalS3Server | null = null;
  const running = () => {
    if (server === null) throw new Error('the S3 server is there while tests run');
    return server;
  };
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server?.close());
  return {
    url: () => running().url(),
    newBucket: () => running().newBucket(),
    objects: (environment) => running().objects(environment),
    remove: (environment, ending) => running().remove(environment, ending),
  };
}

/**
 * A process that speaks S3 over HTTP: s3rver. It knows neither conditional writes nor checksums
 * (`test/support/s3-proxy.ts` stands in for those). CONTRIBUTING.md says what that leaves untested.
 */
export async function startS3Server(): Promise<MortalS3Server> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-s3-'));
  let running = await runS3rver(dir, 0);
  const { url } = running;

  return {
    url: () => url,
    async newBucket() {
      const bucket = `bucket-${randomBytes(6).toString('hex')}`;
      await withClient((client) => client.send(new CreateBucketCommand({ Bucket: bucket })));
      return {
        S3_BUCKET: bucket,
        S3_ENDPOINT: url,
        S3_ACCESS_KEY_ID: ACCOUNT.accessKeyId,
        S3_SECRET_ACCESS_KEY: ACCOUNT.secretAccessKey,
      };
    },
    async objects({ S3_BUCKET }) {
      const { Contents } = await withClient((client) =>
        client.send(new ListObjectsV2Command({ Bucket: S3_BUCKET })),
      );
      return (Contents ?? []).map(({ Key }) => Key ?? '').sort();
    },
    async remove({ S3_BUCKET }, ending) {
      const Bucket = S3_BUCKET;
      await withClient(async (client) => {
        const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
        for (const { Key = '' } of Contents) {
          if (Key.endsWith(ending)) await client.send(new DeleteObjectCommand({ Bucket, Key }));
        }
      });
    },
    kill: () => running.kill(),
    async startAgain() {
      running = await runS3rver(dir, Number(new URL(url).port));
    },
    async age({ S3_BUCKET }, writtenAt) {
      const bucket = join(dir, S3_BUCKET);
      for (const name of await readdir(bucket, { recursive: true })) {
        if (name.endsWith('._S3rver_object')) await utimes(join(bucket, name), writtenAt, writtenAt);
      }
    },
    async close() {
      await running.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };

  async function withClient<T>(work: (client: S3Client) => Promise<T>): Promise<T> {
    const client = new S3Client({
      endpoint: url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: ACCOUNT,
    });
    try {
      return await work(client);
    } finally {
      client.destroy();
    }
  }
}

/** @param port 0 for any */
async function runS3rver(dir: string, port: number): Promise<{ url: string; kill(): Promise<void> }> {
  const program = join(createRequire(import.meta.url).resolve('s3rver/package.json'), '../bin/s3rver.js');
  const args = [
    '--directory',
    dir,
    '--address',
    '127.0.0.1',
    '--port',
    String(port),
    '--silent',
    '--no-vhost-buckets',
  ];
  // For the tokens of its pages, which it encrypts with DES.
  const child = spawn(process.execPath, ['--openssl-legacy-provider', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-2_000);
      const address = /listening on (127\.0\.0\.1:\d+)/i.exec(output)?.[1];
      if (address !== undefined) resolve(`http://${address}`);
    });
    void exited.then(([code]) => reject(new Error(`s3rver ended with ${code}: ${output}`)));
  });
  return {
    url,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The settings of a bucket as the program reads them. */
export function settingsOf(environment: Record<string, string>): S3Settings {
  const { s3 } = readConfig(environment);
  if (s3 === null) throw new Error('these settings name no bucket');
  return s3;
}
