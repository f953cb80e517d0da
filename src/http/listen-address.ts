import { createServer } from 'node:net';

/** The address to listen on, and the names of its settings. */
export interface ListenAddress {
  host: string;
  port: number;
}

/**
 * Checks whether the server can listen on an address. Call it first in a start: later steps take long and write files.
 * Another program can still take the port afterwards, so listening itself may fail too.
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

/** @returns why listening failed, beginning with the setting that must be changed */
export function explained(error: unknown, { host, port }: ListenAddress): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reason = typeof code === 'string' ? REASONS[code]?.(host, port) : undefined;
  return reason === undefined ? error : new Error(reason, { cause: error });
}

const REASONS: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) =>
    `PORT: ${at(host, port)} is in use by another program; stop it, or set PORT to another port (0: any free port)`,
  EACCES: (host, port) =>
    `PORT: this user may not listen on ${at(host, port)}; set PORT to 1024 or more, with a proxy on the lower port`,
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
