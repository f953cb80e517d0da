import { writeFileSync } from 'node:fs';
import { randomToken, sha256 } from '../auth/static-tokens.js';
import { readConfig } from '../config/settings.js';
import { reachable } from './readiness.js';

export interface InitOptions {
  host: string;
  port: number;
  publicUrl?: string;
}

/** The commands that a person types begin so. */
const PROGRAM = process.env.npm_command === 'exec' ? 'npx coredock' : 'coredock';

/**
 * `coredock init`: writes `.env` with an address and the digest of a new admin token. The token itself is only printed.
 *
 * @throws Error or ConfigError with one clear line per problem: wrong values, a file that is there, a folder that cannot
 * be written
 */
export function initCommand({ host, port, publicUrl }: InitOptions, say: (text: string) => void): void {
  if (!/^[\w.:-]+$/.test(host)) throw new Error(`--host: "${host}" is neither an address nor a host name`);
  const token = randomToken();
  const settings = {
    HOST: host,
    PORT: String(port),
    ...(publicUrl === undefined ? {} : { PUBLIC_URL: publicUrl }),
    ADMIN_TOKENS: `sha256:${sha256(token)}`,
  };
  const config = readConfig(settings);
  writeNew('.env', contentOf(settings));

  const url = config.publicUrl ?? `http://${reachable(host)}:${port}`;
  say(`.env is written. The admin token, which is shown only now:

  ${token}

Next:

  ${PROGRAM} start
  COREDOCK_TOKEN=${token} ${PROGRAM} firmware upload build/app.elf --model CODE --url ${url}

The page is at ${url}: sign in with the token, and make a device model with the CODE of your choice.
`);
}

function contentOf({ ADMIN_TOKENS, ...others }: Record<string, string>): string {
  return `# Settings of Coredock: docs/configuration.md has all of them.
${Object.entries(others)
  .map(([name, value]) => `${name}=${value}`)
  .join('\n')}
# The digest of a token; several are separated by commas. \`coredock token\` makes a token and its digest.
ADMIN_TOKENS=${ADMIN_TOKENS}
`;
}

/** Never replaces a file: there may be a token in it that nobody else has. */
function writeNew(file: string, content: string): void {
  try {
    writeFileSync(file, content, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(
      code === 'EEXIST'
        ? `${file} is there already, and is left as it is; add settings to it by hand (a token is made by "${PROGRAM} token"), or move it away first`
        : `${file} cannot be written here (${code}); change to a folder of yours`,
      { cause: error },
    );
  }
}
