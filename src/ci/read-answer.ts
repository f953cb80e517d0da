import type { IncomingHttpHeaders } from 'node:http';
import * as z from 'zod';
import { parseJson } from '../platform/json.js';
import { answeredTemporarily, isTemporary, isTemporaryCode, TemporaryFailure } from './temporary-failure.js';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What the server has stored. */
export type UploadedFirmware = z.infer<typeof uploadedFirmware>;
const uploadedFirmware = z.object({ id: z.string(), version: z.string(), elfSha256: z.string() });

const uploadAnswer = z.object({
  data: z
    .object({
      uploadFirmware: z
        .object({
          firmware: uploadedFirmware,
          warnings: z.array(z.object({ message: z.string() })).default([]),
        })
        .nullable(),
    })
    .nullable()
    .optional(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }).optional() }))
    .optional(),
});

/**
 * The server's answer to an upload, or who else has answered and what to do.
 *
 * @throws TemporaryFailure, or an Error that a retry does not mend
 */
export function readAnswer(answer: Answer, endpoint: URL) {
  const { status, body } = answer;
  const json = parseJson(body);
  // Coredock answers everything in JSON; what is no JSON comes from something in front of it.
  const proxy = json === undefined && body !== '' ? proxyOf(answer) : null;
  if (proxy !== null && status >= 500)
    throw new TemporaryFailure(`${proxy} answered ${status}: it gets no answer from Coredock`);
  if (isTemporary(status)) throw answeredTemporarily(status, json);
  if (status >= 300 && status < 400) throw new Error(redirected(answer, endpoint));
  if (status === 413 && proxy !== null) {
    throw new Error(`${proxy} refuses a body of this size (413): raise ${bodyLimitOf(proxy)}`);
  }
  const parsed = uploadAnswer.safeParse(json);
  if (!parsed.success)
    throw new Error(`the server answered ${status}, but it is not a Coredock server: check --url`);
  const { data, errors: [error] = [] } = parsed.data;
  if (error !== undefined && isTemporaryCode(error.extensions?.code))
    throw new TemporaryFailure(error.message);
  if (error !== undefined) throw new Error(error.message);
  if (data?.uploadFirmware == null) throw new Error(`the server answered ${status} without a firmware`);
  return data.uploadFirmware;
}

/** Coredock itself sends no `Server` header. */
function proxyOf({ headers: { server } }: Answer): string {
  const name = [server]
    .flat()
    .join(' ')
    .replace(/[^\w ./()-]/g, '')
    .slice(0, 60);
  return `the proxy in front of Coredock${name === '' ? '' : ` (${name})`}`;
}

function bodyLimitOf(proxy: string): string {
  if (/nginx|openresty/i.test(proxy)) return 'its setting client_max_body_size';
  if (/apache/i.test(proxy)) return 'its setting LimitRequestBody';
  return 'its limit of bodies (nginx: client_max_body_size, Apache: LimitRequestBody)';
}

function redirected({ status, headers: { location = '' } }: Answer, endpoint: URL): string {
  if (!URL.canParse(location, endpoint)) return `the server answered ${status} without an address`;
  const target = new URL(location, endpoint);
  const address = `${target.origin}${target.pathname.replace(/\/(graphql\/?)?$/, '')}`;
  return `${endpoint.origin} redirects to ${target.origin} (${status}): use --url ${address}`;
}
