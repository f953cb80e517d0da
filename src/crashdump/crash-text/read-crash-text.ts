import { chipByName } from '../arch/chips.js';
import type { ReportWarning } from '../warning.js';
import { readAddresses } from './addresses.js';
import type { CrashText } from './crash-text.js';
import { readEsphomeCrashes } from './esphome.js';
import { clean, type FoundCrash, hasAddresses } from './found-crash.js';
import { type BootFact, bootFactsOf } from './idf-boot.js';
import { readIdfCrashes } from './idf-panic.js';
import { type Line, linesOf } from './lines.js';
import { readNuttxCrashes } from './nuttx.js';
import { withoutListsAndRequests } from './printed-on-request.js';
import { readRustCrashes } from './rust.js';
import { readTasmotaCrashes } from './tasmota.js';
import { textOfUpload, withoutEncodings } from './text-of-upload.js';
import { readZephyrCrashes } from './zephyr.js';

/**
 * Reads what a text says of a crash, in whatever it travelled: console logs with the time stamps of others, mail, JSON,
 * UTF-16. Of several crashes the last whole one is read. The time is linear in the length of the text.
 *
 * @param upload borrowed
 * @returns null when there is nothing of a crash, and no address, in it; never throws
 */
export function readCrashText(upload: Uint8Array): CrashText | null {
  const raw = textOfUpload(upload);
  if (raw === null) return null;
  const lines = linesOf(withoutEncodings(raw));
  const found = findCrashes(raw, lines);
  const chosen = choose(found);
  if (chosen === null) return null;
  const { first, last, missing, ...crash } = chosen;
  const boot = bootOf(chosen, bootFactsOf(lines));
  return {
    source: 'panic_text',
    ...crash,
    chip: boot.chip,
    architecture: crash.architecture ?? architectureOf(boot.chip),
    appElfSha256: longer(crash.appElfSha256, boot.appElfSha256),
    firmwareVersion: boot.version,
    logLines: logBefore(lines, chosen, found),
    warnings: warningsOf(chosen, found),
  };
}

function findCrashes(raw: string, lines: readonly Line[]): FoundCrash[] {
  const esphome = readEsphomeCrashes(lines);
  const others = [...readNuttxCrashes(lines), ...readZephyrCrashes(lines), ...readRustCrashes(lines)];
  const idf = withoutListsAndRequests(readIdfCrashes(lines), lines).filter(
    (crash) => !others.some((other) => crash.first >= other.first && crash.first <= other.last),
  );
  const all = [...idf, ...others, ...esphome.filter((crash) => !idf.some((panic) => isSame(panic, crash)))];
  all.sort((one, other) => one.first - other.first);
  if (all.length === 0)
    all.push(
      ...readTasmotaCrashes(
        raw,
        Math.max(
          0,
          lines.findIndex(({ text }) => text.includes('"CallChain')),
        ),
      ),
    );
  if (all.length > 0 || OF_OTHER_CHIPS.test(raw)) return all;
  const list = readAddresses(lines);
  return list === null ? [] : [list];
}

/** ESP8266 and RP2040: their addresses look like those of an ESP32. */
const OF_OTHER_CHIPS =
  /\[esp8266\b|rp2(?:040)?\.crash|Exception \(\d{1,2}\):|>>>stack>>>|"EPC\\*" {0,4}: {0,4}\[/;

/** ESPHome tells at the next boot what the panic handler printed before it. */
function isSame(panic: FoundCrash, report: FoundCrash): boolean {
  const pc = ({ cores: [core] }: FoundCrash) => core?.registers.get('pc') ?? core?.registers.get('mepc');
  const first = ({ cores: [core] }: FoundCrash) => core?.calls[0]?.pc;
  if (panic.first > report.first) return false;
  return (
    (pc(panic) !== undefined && pc(panic) === pc(report)) ||
    (first(panic) !== undefined && first(panic) === first(report))
  );
}

/** The last of the best: a crash that can be decoded, one that cannot, what is no crash. */
function choose(found: readonly FoundCrash[]): FoundCrash | null {
  let best: FoundCrash | null = null;
  for (const crash of found) if (best === null || rank(crash) >= rank(best)) best = crash;
  return best;
}

function rank({ isCrash, cores, missing, shape }: FoundCrash): number {
  if (!isCrash) return 0;
  if (shape === 'ESP-IDF reset') return 1;
  if (!hasAddresses(cores)) return 2;
  return missing.length === 0 ? 4 : 3;
}

/** What the log says of the boot that crashed. Of the next one only the chip is the same for certain. */
function bootOf({ first }: FoundCrash, facts: readonly BootFact[]): Omit<BootFact, 'at' | 'isBoot'> {
  const boot: Omit<BootFact, 'at' | 'isBoot'> = { chip: null, version: null, appElfSha256: null };
  for (const fact of facts) {
    const isBefore = fact.at < first;
    if (!isBefore && boot.chip !== null) break;
    boot.chip = fact.chip ?? boot.chip;
    if (!isBefore) continue;
    boot.version = fact.version ?? (fact.isBoot ? null : boot.version);
    boot.appElfSha256 = fact.appElfSha256 ?? (fact.isBoot ? null : boot.appElfSha256);
  }
  return boot;
}

function architectureOf(chip: string | null): string | null {
  return chip === null ? null : (chipByName(chip)?.architecture.name ?? null);
}

/** The boot log has more digits than a panic of ESP-IDF since 5.2. */
function longer(printed: string | null, booted: string | null): string | null {
  if (printed === null) return booted;
  return booted?.startsWith(printed) ? booted : printed;
}

const MOST_LOG_LINES = 64;

function logBefore(lines: readonly Line[], { first }: FoundCrash, found: readonly FoundCrash[]): string[] {
  const end = found.reduce((latest, { last }) => (last < first ? Math.max(latest, last + 1) : latest), 0);
  return lines.slice(Math.max(end, first - MOST_LOG_LINES), first).map(({ text }) => clean(text));
}

function warningsOf(chosen: FoundCrash, found: readonly FoundCrash[]): ReportWarning[] {
  const warnings: ReportWarning[] = [];
  const count = found.filter(({ isCrash }) => isCrash).length;
  if (count > 1) {
    const which = chosen === found.at(-1) ? 'the last one was read' : 'the last whole one was read';
    warnings.push({ code: 'SEVERAL_CRASHES', message: `The text holds ${count} crashes; ${which}.` });
  }
  if (!chosen.isCrash)
    warnings.push({
      code: 'NO_CRASH',
      message: 'This is no crash: the device printed it and ran on.',
    });
  if (chosen.missing.length > 0)
    warnings.push({
      code: 'TEXT_CUT',
      message: `The text is cut or damaged. Missing: ${[...new Set(chosen.missing)].join('; ')}.`,
    });
  const corrupted = chosen.cores.find(({ callsEnd }) => callsEnd === 'corrupted');
  if (corrupted !== undefined)
    warnings.push({
      code: 'BACKTRACE_CORRUPTED',
      message: `The device found its stack broken: ${
        corrupted.calls.length > 1
          ? 'the last address of the printed backtrace is wrong'
          : 'it could not follow the calls, and printed only where it was'
      }.`,
    });
  return warnings;
}
