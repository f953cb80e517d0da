import { badInput } from '../errors.js';
import { fillTemplate, type LinkTemplate, requireTemplate } from './link-template.js';
import { pathInRepository } from './repository-path.js';

/** Where a model's sources, tickets and devices are found: https templates of the operator. Null: no such link. */
export interface ModelLinks {
  /** `https://github.com/acme/fw/blob/{revision}/{path}#L{line}` */
  sourceUrl: string | null;
  /** Beginnings of file names that the repository does not have: `/builds/acme/fw/`. The longest that fits is taken. */
  sourcePrefixes: readonly string[];
  /** `https://github.com/acme/fw/compare/{from}...{to}` */
  compareUrl: string | null;
  /** `https://github.com/acme/fw/issues/new?title={title}&body={body}` */
  ticketUrl: string | null;
  /** `https://fleet.example.com/devices/{serial}` */
  deviceUrl: string | null;
}

/** Of a model for which nothing was set. */
export const NO_LINKS: ModelLinks = {
  sourceUrl: null,
  sourcePrefixes: [],
  compareUrl: null,
  ticketUrl: null,
  deviceUrl: null,
};

const MAX_SOURCE_PREFIXES = 20;
const MAX_PREFIX_LENGTH = 500;
/** Servers refuse longer addresses: GitHub from about 8,000 characters. */
const MAX_TICKET_URL_LENGTH = 6000;
const MAX_TITLE_LENGTH = 200;

const TEMPLATES = {
  sourceUrl: { placeholders: ['revision', 'path', 'line'], needsOneOf: ['path'] },
  compareUrl: { placeholders: ['from', 'to'], needsOneOf: ['to'] },
  ticketUrl: { placeholders: ['title', 'body'], needsOneOf: [] },
  deviceUrl: { placeholders: ['key', 'serial', 'name', 'model'], needsOneOf: ['key', 'serial', 'name'] },
} satisfies Record<string, Omit<LinkTemplate, 'field'>>;

type TemplateField = keyof typeof TEMPLATES;
const TEMPLATE_FIELDS = Object.keys(TEMPLATES) as TemplateField[];

/** @throws DomainError BAD_USER_INPUT that names the field */
export function requireLinks(links: Partial<ModelLinks>): void {
  for (const field of TEMPLATE_FIELDS) {
    const template = links[field];
    if (typeof template === 'string') requireTemplate(template, { field, ...TEMPLATES[field] });
  }
  const { sourcePrefixes = [] } = links;
  const field = 'sourcePrefixes';
  if (sourcePrefixes.length > MAX_SOURCE_PREFIXES) {
    throw badInput(`sourcePrefixes has at most ${MAX_SOURCE_PREFIXES} prefixes.`, { field });
  }
  for (const prefix of sourcePrefixes) {
    if (prefix.trim() === '' || prefix.length > MAX_PREFIX_LENGTH || /\p{Cc}/u.test(prefix)) {
      throw badInput(`A prefix is 1 to ${MAX_PREFIX_LENGTH} characters on one line.`, { field });
    }
  }
}

/** The line in the repository; null without a template, a revision that it needs, or a name inside the repository. */
export function sourceUrlOf(
  links: ModelLinks,
  revision: string | null,
  { file, line }: { file: string | null; line: number | null },
): string | null {
  if (links.sourceUrl === null || file === null) return null;
  if (line === null || !Number.isSafeInteger(line) || line < 1) return null;
  const path = pathInRepository(file, links);
  return path === null ? null : fillTemplate(links.sourceUrl, { revision, path, line: String(line) });
}

/** The files of a revision, where the template has them below it: `/tree/` on GitHub and GitLab, which `/blob/` is not. */
export function revisionUrlOf(
  { sourceUrl }: Pick<ModelLinks, 'sourceUrl'>,
  revision: string | null,
): string | null {
  const [folder, ...rest] = sourceUrl?.split('/{path}') ?? [];
  if (folder === undefined || rest.length !== 1 || !folder.endsWith('/{revision}')) return null;
  return fillTemplate(folder.replace(/\/blob\/\{revision\}$/, '/tree/{revision}'), { revision });
}

/** What changed between the revisions of two builds; null without a template, or when one of them is not known. */
export function compareUrlOf(links: ModelLinks, from: string | null, to: string | null): string | null {
  if (links.compareUrl === null || from === to) return null;
  return fillTemplate(links.compareUrl, { from, to });
}

/** Where a ticket with this title and text is written. A long text is cut, since addresses have a limit. */
export function newTicketUrlOf(
  { ticketUrl }: Pick<ModelLinks, 'ticketUrl'>,
  { title, body }: { title: string; body: string },
): string | null {
  if (ticketUrl === null) return null;
  const shortTitle = cut(title, MAX_TITLE_LENGTH);
  const fill = (length: number) => fillTemplate(ticketUrl, { title: shortTitle, body: cut(body, length) });
  let length = body.length;
  let address = fill(length);
  while (address !== null && address.length > MAX_TICKET_URL_LENGTH && length > 1) {
    length = Math.floor(length * 0.8);
    address = fill(length);
  }
  return address;
}

/** The operator's own page of a device; null without a template, or when the device lacks what it needs. */
export function deviceUrlOf(
  { deviceUrl }: Pick<ModelLinks, 'deviceUrl'>,
  device: { key: string; serial: string | null; name: string | null; model: string },
): string | null {
  return deviceUrl === null ? null : fillTemplate(deviceUrl, device);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}
