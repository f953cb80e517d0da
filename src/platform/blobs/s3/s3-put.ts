import { createReadStream } from 'node:fs';
import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { notS3 } from './s3-answers.js';
import { attempting, described, type S3Calls } from './s3-calls.js';

export interface S3Upload {
  id: string;
  path: string;
  size: number;
  sha256: string;
}

/** The time limit of a body is the limit of a call plus its duration at this slowest rate. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/** Puts a whole file. @throws what the S3 client throws */
export async function putFile(
  { client, Bucket, callLimitMs }: S3Calls,
  key: string,
  upload: S3Upload,
  isNewOnly: boolean,
  stop: AbortSignal | undefined,
): Promise<void> {
  const limitMs = callLimitMs + (upload.size / SLOWEST_BYTES_PER_SECOND) * 1000;
  const put = async (signal: AbortSignal) => {
    const body = createReadStream(upload.path);
    const broken = new AbortController();
    body.on('error', (error) => broken.abort(error));
    const command = new PutObjectCommand({
      Bucket,
      Key: key,
      Body: body,
      ContentLength: upload.size,
      ContentType: 'application/octet-stream',
      ChecksumSHA256: Buffer.from(upload.sha256, 'hex').toString('base64'),
      Metadata: { sha256: upload.sha256, upload: upload.id },
      ...(isNewOnly ? { IfNoneMatch: '*' } : {}),
    });
    signPayload(command, upload.sha256);
    try {
      const { ETag } = await client.send(command, {
        abortSignal: AbortSignal.any([signal, broken.signal]),
      });
      // S3 returns the ETag of what it stored; a server that answers 200 without one has stored nothing.
      if (ETag === undefined) throw notS3('it acknowledged an object without an ETag');
    } catch (error) {
      throw broken.signal.aborted ? broken.signal.reason : error;
    } finally {
      body.destroy();
    }
  };
  await attempting(limitMs, put, stop);
}

/** An attempt without a response may have arrived all the same. Best effort: the sweep finds objects that stay. */
export async function takeBack(
  { client, Bucket, callLimitMs }: S3Calls,
  key: string,
  uploadId: string,
): Promise<void> {
  const signal = AbortSignal.timeout(callLimitMs / 4);
  const request = { Bucket, Key: key };
  try {
    const present = described(await client.send(new HeadObjectCommand(request), { abortSignal: signal }));
    if (present.uploadId !== uploadId) return;
    await client.send(new DeleteObjectCommand(request), { abortSignal: signal });
  } catch {
    // The caller gets the first error.
  }
}

/** The signer takes this header as the hash of the body, which it could not read twice. */
function signPayload(command: PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      if (hasHeaders(request)) request.headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'signPayload' },
  );
}

function hasHeaders(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request;
}
