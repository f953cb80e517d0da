import { createServer } from 'node:net';

/** Where to listen, and what the settings for it are called. */
export interface ListenAddress {
  host: string;
  port: number;
}

/**
 * Finds out whether an address can be listened on. To be called before anything else of a start, which may take long and
 * leave something behind. Another program may still take the port afterwards, so listening itself may fail.
 *
 * @throws Error that names the setting
 */
export async function assertListenable({ host, port }: ListenAddress): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen({ host, port }, resolve);
  }).catch((error: unknown) => {
    throw explained(error, { host, port });
  });
  await new Promise((resolve) => probe.close(resolve));
}

/** @returns why an address could not be listened on, beginning with the setting that is to be changed */
export function explained(error: unknown, { host, port }: ListenAddress): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reason = typeof code === 'string' ? REASONS[code]?.(host, port) : undefined;
  return reason === undefined ? error : new Error(reason, { cause: error });
}

const REASONS: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) =>
    `PORT: ${at(host, port)} is in use by another program; stop that, or set PORT to another one (0 takes a free one)`,
  EACCES: (host, port) =>
    `PORT: this user may not listen on ${at(host, port)}; set PORT to 1024 or more, and let a proxy have the lower one`,
  EADDRNOTAVAIL: noSuchAddress,
  EINVAL: noSuchAddress,
  EAFNOSUPPORT: noSuchAddress,
  ENOTFOUND: noSuchName,
  EAI_AGAIN: noSuchName,
};

function noSuchAddress(host: string): string {
  return `HOST: this machine has no address "${host}"; set HOST to one of its own, 127.0.0.1, or 0.0.0.0 for all`;
}

function noSuchName(host: string): string {
  return `HOST: the name "${host}" has no address; set HOST to an address of this machine`;
}

function at(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
