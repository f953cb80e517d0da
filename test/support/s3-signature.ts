import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Whether a request is signed with this secret, by version 4 as AWS documents it for S3
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html); independent of the client.
 */
export function isSigned(request: IncomingMessage, secret: string): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const [, scope, names, signature] = pattern.exec(request.headers.authorization ?? '') ?? [];
  if (scope === undefined || names === undefined) return false;
  // What is not signed could be changed on the way.
  if (!/(^|;)x-amz-content-sha256(;|$)/.test(names)) return false;
  const [date, region, service, end] = scope.split('/');
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const canonical = [
    request.method,
    path,
    canonicalQuery(query),
    ...names.split(';').map((name) => `${name}:${String(request.headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    names,
    request.headers['x-amz-content-sha256'],
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [date, region, service, end].reduce<string | Buffer>(
    (previous, part) => hmac(previous, part ?? ''),
    `AWS4${secret}`,
  );
  return hmac(key, toSign).toString('hex') === signature;
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const parts = query.split('&').map((part) => (part.includes('=') ? part : `${part}=`));
  return parts.sort().join('&');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
