import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { messageOf } from '../errors.js';
import { CI_PROVIDERS, type CiProviderName } from './ci-providers.js';
import { isHttpUrl, quoted } from './value-types.js';

/** CI jobs that may upload firmware by the token that their CI gives them, without a secret of ours. */
export interface TrustedPublisher {
  readonly provider: CiProviderName;
  /** Codes of the models whose firmware they may upload. */
  readonly models: readonly string[];
  /** Exactly the `iss` of their tokens. */
  readonly issuer: string;
  /** What their tokens must name in `aud`. */
  readonly audience: string;
  /** What their tokens must say. */
  readonly claims: Readonly<Record<string, string>>;
}

const FIELDS = ['provider', 'models', 'issuer', 'audience', 'claims'];

/** Numbers and booleans too, because an operator copies an id as it is shown; in tokens all are strings. */
const claimValue = z
  .union([z.string().min(1, { error: 'it is empty' }), z.int(), z.boolean()], {
    error: 'it is not a text, a whole number or true',
  })
  .transform(String);

const entry = z.strictObject(
  {
    provider: z.enum(['github', 'gitlab'], { error: 'it is "github" or "gitlab"' }),
    models: z
      .array(
        z
          .string()
          .regex(/^[a-z0-9_]{1,32}$/, { error: 'it is not the code of a model: 1 to 32 of a-z, 0-9 and _' }),
        {
          error: 'it is a list of codes of models: ["thermostat"]',
        },
      )
      .min(1, { error: 'it names no model' }),
    issuer: z.string().refine(isHttpUrl, { error: 'it is not an http:// or https:// URL' }).optional(),
    audience: z
      .string({
        error: 'it is missing: a text that only your jobs ask for, such as the address of this server',
      })
      .min(1, { error: 'it is empty' }),
    claims: z.record(z.string(), claimValue, { error: 'it is an object: {"repository_id": "123", …}' }),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys?.join(', ')}: there is no such field; the fields are ${FIELDS.join(', ')}`
        : `it is not an object with the fields ${FIELDS.join(', ')}`,
  },
);

/**
 * The path of a JSON file, or its content, which begins with "[". A file is easier to write and to review; the content
 * is for hosts that give a program nothing but an environment.
 */
export function trustedPublishers() {
  return z.string().transform((text, context): readonly TrustedPublisher[] => {
    const complain = (message: string): [] => {
      context.addIssue({ code: 'custom', message });
      return [];
    };
    const content = contentOf(text);
    if (content.problem !== undefined) return complain(content.problem);
    const list = z
      .array(z.unknown(), { error: 'it is not a JSON list: [{"provider": …}]' })
      .safeParse(content.json);
    if (!list.success) return complain(list.error.issues[0]?.message ?? '');
    return list.data.flatMap((item, index) => {
      const { publisher, problems } = checked(item);
      for (const problem of problems) complain(`entry ${index + 1}${shownModels(item)}, ${problem}`);
      return publisher === null ? [] : [publisher];
    });
  });
}

function contentOf(text: string): { json: unknown; problem?: undefined } | { problem: string } {
  const isPath = !text.trimStart().startsWith('[');
  const where = isPath ? `the file ${quoted(text)}` : 'it';
  let content = text;
  try {
    if (isPath) content = readFileSync(text, 'utf8');
  } catch (error) {
    return { problem: `${where} cannot be read: ${lineOf(error)}` };
  }
  try {
    return { json: JSON.parse(content) };
  } catch (error) {
    return { problem: `${where} is not JSON: ${lineOf(error)}` };
  }
}

function checked(item: unknown): { publisher: TrustedPublisher | null; problems: string[] } {
  const parsed = entry.safeParse(item);
  if (!parsed.success) {
    return {
      publisher: null,
      problems: parsed.error.issues.map(({ path, message }) =>
        [path.join('.'), message].filter(Boolean).join(': '),
      ),
    };
  }
  const { issuer, ...rest } = parsed.data;
  const publisher = { ...rest, issuer: issuer ?? CI_PROVIDERS[rest.provider].issuer };
  return { publisher, problems: [...audienceProblems(publisher), ...claimProblems(publisher)] };
}

/** GitHub's default is the address of the owner: every program that the owner's jobs talk to gets such tokens. */
function audienceProblems({ provider, audience }: TrustedPublisher): string[] {
  if (provider !== 'github' || !/^https:\/\/github\.com(\/|$)/.test(audience)) return [];
  return [
    `audience: ${quoted(audience)} is what GitHub puts into tokens for everybody; use one of your own, such as the address of this server`,
  ];
}

function claimProblems({ provider, claims }: TrustedPublisher): string[] {
  const rules = CI_PROVIDERS[provider];
  const ofEach = Object.entries(claims).flatMap(([name, value]) => {
    if (name === 'sub') {
      return [
        'claims.sub: it is not compared, because its form varies and can be changed; name the ids, the ref and the workflow instead',
      ];
    }
    if (name === 'iss' || name === 'aud') {
      return [`claims.${name}: this is the field "${name === 'iss' ? 'issuer' : 'audience'}" of the entry`];
    }
    if (!rules.claims.has(name)) return [`claims.${name}: ${rules.name}'s job tokens have no such claim`];
    const problem = problemOfValue(name, value) ?? rules.problemOf(name, value);
    return problem === null ? [] : [`claims.${name}: ${quoted(value)}: ${problem}`];
  });
  const missing = rules.needed
    .filter((names) => !names.some((name) => Object.hasOwn(claims, name)))
    .map((names) => `claims.${names.join(' or ')}: it is missing`);
  const together = rules.problemOfAll(claims);
  return [...ofEach, ...missing, ...(together === null ? [] : [`claims.${together}`])];
}

/** Names of their own that may have a "*"; refs, files and paths cannot. */
const FREE_TEXT: ReadonlySet<string> = new Set(['environment', 'workflow']);

/** What is wrong with a value that no token will ever have. */
function problemOfValue(name: string, value: string): string | null {
  if (name.endsWith('_id') && !/^\d+$/.test(value)) return 'it is a number, and not a name';
  if (!value.includes('*') || FREE_TEXT.has(name)) return null;
  return (
    'claims are compared letter by letter, and "*" stands for nothing else; ' +
    'write an entry for each, or demand an environment or a protected ref'
  );
}

/** Says which entry is meant, as far as it can be read. */
function shownModels(item: unknown): string {
  const parsed = z.object({ models: z.array(z.string().max(32)).min(1) }).safeParse(item);
  return parsed.success ? ` (${parsed.data.models.join(', ')})` : '';
}

function lineOf(error: unknown): string {
  return messageOf(error).replaceAll('\n', ' ');
}
