import {
  type CrashReport,
  type CrashTask,
  frameLine,
  framePlace,
  isOwnFrame,
  type StackFrame,
} from '../crashdump/index.js';
import { NAMES, NOUNS } from './kind.js';
import { code, codeBlock, prose, proseWithCode } from './markdown-text.js';
import type { CoredumpKind } from './types.js';

/** A crash, with everything that its Markdown names. Ids are global ids. */
export interface CrashToDescribe {
  dump: {
    id: string;
    kind: CoredumpKind;
    filename: string;
    /** The version that crashed, and what the device reported, perhaps after an update. */
    crashVersion: string;
    firmwareVersion: string;
    chip: string;
    sha256: string;
    parseStatus: string;
    uploadedAt: Date;
    hasRaw: boolean;
  };
  device: { key: string; serial: string | null; name: string | null };
  model: { code: string; name: string };
  /** The build that it was read with. */
  build: { id: string; version: string; elfSha256: string; revision: string | null } | null;
  group: { id: string; title: string; count: number; deviceCount: number } | null;
  /** Redacted as for viewers; null while it is not read, or when it could not be read. */
  report: CrashReport | null;
  /** Redacted as well: says why there is no report. */
  output: string | null;
}

export interface MarkdownLinks {
  /** Beginning of the page's addresses, without a slash at its end; null when it is not known. */
  pageUrl: string | null;
  /** Downloads need a token: authentication is on. */
  needsToken: boolean;
  /** Where the source of a frame is shown. */
  sourceUrlOf?: (frame: StackFrame) => string | null;
}

/** Most bytes of the text. The parts below are limited so that their sum is less. */
export const MAX_MARKDOWN_BYTES = 64 * 1024;
const BYTES = { backtrace: 16_000, tasks: 6_000, registers: 4_000, output: 6_000 };
const MAX_NAME = 120;
const MAX_SENTENCE = 400;
const MAX_WARNINGS = 8;

/**
 * A crash as Markdown, to be taken along into a ticket or a chat, or read by an agent. Texts of the device cannot become
 * markup. It is always redacted: who copies it does not know where it will be read.
 *
 * @param links null: a text that leads nowhere, for people who may see nothing else
 * @returns at most `MAX_MARKDOWN_BYTES` in UTF-8, with a line break at its end
 */
export function crashMarkdown(crash: CrashToDescribe, links: MarkdownLinks | null): string {
  const { report } = crash;
  const parts = [
    `# ${prose(titleOf(crash), MAX_SENTENCE)}`,
    ...(report?.explanation == null ? [] : [proseWithCode(report.explanation, MAX_SENTENCE)]),
    facts(crash, links),
    ...(report === null ? unread(crash) : reported(report, links)),
    ...commands(crash, links),
  ];
  return `${parts.join('\n\n')}\n`;
}

function titleOf({ group, report, dump }: CrashToDescribe): string {
  return group?.title ?? report?.reason ?? dump.filename;
}

function facts(
  { dump, device, model, build, group, report }: CrashToDescribe,
  links: MarkdownLinks | null,
): string {
  const named = (name: string | null, key: string) =>
    name === null || name === key ? code(key, MAX_NAME) : `${prose(name, MAX_NAME)} (${code(key, MAX_NAME)})`;
  const reportedVersion =
    dump.firmwareVersion === dump.crashVersion
      ? ''
      : ` (the device reported ${code(dump.firmwareVersion, MAX_NAME)})`;
  const isSame = build === null || report === null || report.elfMatch !== 'differs';
  return [
    fact('Crash', linkTo(links, `/dumps/${encodeURIComponent(dump.id)}`)),
    fact('Reason', report === null ? null : code(report.reason, MAX_SENTENCE)),
    fact('Kind', report === null ? null : code(report.kind, MAX_NAME)),
    fact('Task', report?.crashedTask == null ? null : code(report.crashedTask, MAX_NAME)),
    fact('Version', `${code(dump.crashVersion, MAX_NAME)}${reportedVersion}`),
    fact('Model', named(model.name, model.code)),
    fact(
      'Device',
      `${named(device.name, device.key)}${device.serial === null ? '' : `, serial ${code(device.serial, MAX_NAME)}`}`,
    ),
    fact('Chip', code(report?.chip ?? dump.chip, MAX_NAME)),
    fact('Arrived', timeText(dump.uploadedAt)),
    fact('Group', group === null ? null : groupText(group, links)),
    fact(
      'Build',
      build === null
        ? null
        : `${code(build.version, MAX_NAME)}, ELF ${code(build.elfSha256, MAX_NAME)}${
            build.revision === null ? '' : `, revision ${code(build.revision, MAX_NAME)}`
          }${isSame ? '' : ', not the one that the device ran'}`,
    ),
    fact('Source', dump.kind === 'CORE_DUMP' ? null : NAMES[dump.kind]),
    fact(`SHA-256 of the ${NOUNS[dump.kind]}`, code(dump.sha256, MAX_NAME)),
  ]
    .filter((line) => line !== null)
    .join('\n');
}

function fact(name: string, value: string | null): string | null {
  return value === null || value === '' ? null : `- **${name}**: ${value}`;
}

/** A path alone where the server does not know its address. Null without links. */
function linkTo(links: MarkdownLinks | null, path: string): string | null {
  if (links === null) return null;
  const { pageUrl } = links;
  return pageUrl === null ? code(path, MAX_NAME) : `<${pageUrl}${path}>`;
}

function groupText(
  { id, count, deviceCount }: NonNullable<CrashToDescribe['group']>,
  links: MarkdownLinks | null,
) {
  const crashes = count === 1 ? '1 crash' : `${count} crashes`;
  const devices = deviceCount === 1 ? '1 device' : `${deviceCount} devices`;
  const link = linkTo(links, `/groups/${encodeURIComponent(id)}`);
  return `${crashes} on ${devices}${link === null ? '' : `, ${link}`}`;
}

/** 2026-11-29 19:20:11 UTC */
function timeText(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function reported(report: CrashReport, links: MarkdownLinks | null): string[] {
  const crashed = report.tasks.find((task) => task.crashed);
  return [
    ...(crashed === undefined ? [] : backtrace(crashed, report, links)),
    ...warnings(report),
    ...otherTasks(report),
    ...registers(report),
  ];
}

function backtrace(crashed: CrashTask, { usesElf }: CrashReport, links: MarkdownLinks | null): string[] {
  const isOwn = (frame: StackFrame) => usesElf && isOwnFrame(frame);
  const lines = (frames: readonly StackFrame[]) =>
    frames.map((frame) => `${isOwn(frame) ? '>' : ' '} ${frameLine(frame)}`);
  const { frames, interruptedFrames, backtraceEnd } = crashed;
  const all = [
    ...lines(frames),
    ...(backtraceEnd === null ? [] : [`  Backtrace stopped: ${backtraceEnd}`]),
    ...(interruptedFrames.length === 0
      ? []
      : ['', '  --- where the interrupt came ---', ...lines(interruptedFrames)]),
  ];
  if (all.length === 0) return [];
  const own = [...frames, ...interruptedFrames].filter(isOwn);
  const sources = own
    .map((frame) => ({ frame, url: links?.sourceUrlOf?.(frame) ?? null }))
    .filter(({ url }) => url !== null)
    .slice(0, MAX_SOURCES)
    .map(({ frame, url }) => `- ${code(`#${frame.index} ${frame.function}`, MAX_NAME)}: <${url}>`);
  return [
    `## Backtrace of ${code(crashed.name, MAX_NAME) || 'the crashed task'}`,
    codeBlock('text', all, BYTES.backtrace),
    ...(own.length === 0 ? [] : ['`>` marks the firmware’s own code.']),
    ...(sources.length === 0 ? [] : [sources.join('\n')]),
  ];
}

/** Links to sources at most: the innermost frames. */
const MAX_SOURCES = 8;

function warnings({ warnings: all }: CrashReport): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, MAX_WARNINGS).map(({ message }) => `- ${proseWithCode(message, MAX_SENTENCE)}`);
  const left = all.length - shown.length;
  return ['## Warnings', [...shown, ...(left > 0 ? [`- … ${left} more`] : [])].join('\n')];
}

function otherTasks({ tasks }: CrashReport): string[] {
  const others = tasks.filter((task) => !task.crashed);
  if (others.length === 0) return [];
  const width = Math.min(16, Math.max(...others.map(({ name }) => name.length)));
  const lines = others.map(({ name, state, waitingFor, stackCorrupted, frames }) => {
    const [innermost] = frames;
    const place = innermost === undefined ? 'no backtrace' : framePlace(innermost);
    const waits = waitingFor === null ? '' : ` for ${waitingFor}`;
    return `${name.padEnd(width)}  ${state ?? 'unknown'}${waits}  ${stackCorrupted ? 'stack corrupted' : place}`;
  });
  return ['## Other tasks', codeBlock('text', lines, BYTES.tasks)];
}

function registers({ registers: all }: CrashReport): string[] {
  if (all.length === 0) return [];
  const lines = all.map(
    ({ name, value, symbol, meaning }) =>
      `${name.padEnd(9)} ${value}${symbol === null ? '' : `  <${symbol}>`}${meaning === null ? '' : `  (${meaning})`}`,
  );
  return [
    `<details><summary>Registers</summary>\n\n${codeBlock('text', lines, BYTES.registers)}\n\n</details>`,
  ];
}

function unread({ dump, output }: CrashToDescribe): string[] {
  const noun = NOUNS[dump.kind];
  if (dump.parseStatus === 'PENDING' || output === null) return [`The server has not read this ${noun} yet.`];
  return [
    `The server could not read this ${noun}:`,
    codeBlock('text', output.trimEnd().split('\n'), BYTES.output),
  ];
}

/** GDB's name for a chip: ESP-IDF has one for all RISC-V chips, and one for each Xtensa chip. */
function debuggerOf(chip: string): string {
  return ['esp32', 'esp32s2', 'esp32s3'].includes(chip) ? `xtensa-${chip}-elf-gdb` : 'riscv32-esp-elf-gdb';
}

function commands({ dump, build, report }: CrashToDescribe, links: MarkdownLinks | null): string[] {
  // A text has no memory that GDB could open.
  if (links === null || !dump.hasRaw || report === null || dump.kind !== 'CORE_DUMP') return [];
  const { pageUrl, needsToken } = links;
  const header = needsToken ? '-H "Authorization: Bearer $COREDOCK_TOKEN" ' : '';
  const fetched = (file: string, path: string) =>
    `curl -fo ${file} ${header}"${pageUrl ?? '$COREDOCK_URL'}/api/${path}/${file}"`;
  const lines = [
    fetched('core.elf', `coredumps/${encodeURIComponent(dump.id)}`),
    ...(build === null ? [] : [fetched('firmware.elf', `firmwares/${encodeURIComponent(build.id)}`)]),
    `${debuggerOf(report.chip)} ${build === null ? 'build/your-firmware.elf' : 'firmware.elf'} core.elf`,
  ];
  return ['## Open it in GDB', codeBlock('sh', lines, BYTES.output)];
}
