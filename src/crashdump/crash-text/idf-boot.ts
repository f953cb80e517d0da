import { chipNamed } from './found-crash.js';
import type { Line } from './lines.js';

/** `rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)`, printed by the ROM at each boot. */
const RESET = /\brst:0x([0-9a-fA-F]{1,2}) \(([A-Za-z0-9_]{1,40})\)/;

/** What the ROM says of the reset before a boot. */
export interface Reset {
  /** "rst:0x7 (TG0WDT_SYS_RESET)" */
  text: string;
  /** In words, for a reset that no panic announced; null for restarts, which a panic or the application asks for. */
  crash: string | null;
}

/** By number, since the spelling of the names differs between ROMs (components/soc of ESP-IDF: reset_reasons.h). */
const CRASH_RESETS: ReadonlyMap<number, string> = new Map([
  [0x07, 'The task watchdog (timer group 0) reset the chip'],
  [0x08, 'The interrupt watchdog (timer group 1) reset the chip'],
  [0x09, 'The RTC watchdog reset the chip'],
  [0x0b, 'A timer group watchdog reset the CPU'],
  [0x0d, 'The RTC watchdog reset the CPU'],
  [0x0f, 'The brownout detector reset the chip'],
  [0x10, 'The RTC watchdog reset the chip and its RTC'],
  [0x11, 'A timer group watchdog reset the CPU'],
  [0x12, 'The super watchdog reset the chip'],
  [0x1a, 'Double exception: an exception in the exception handler locked the CPU up, and it was reset'],
]);

export function resetIn(body: string): Reset | null {
  const found = RESET.exec(body);
  if (found === null) return null;
  const [text, number = ''] = found;
  return { text, crash: CRASH_RESETS.get(Number.parseInt(number, 16)) ?? null };
}

/** Lines of a boot that tell where the program was before the reset. */
const SAVED_PC = /\bSaved PC: ?0x([0-9a-fA-F]{8})/;
const TRAP = /\bPCAddr(?:=|: )0x([0-9a-fA-F]{8})/;
const OF_LOCKUP = /CPU lockup|trap chain:|^\[Core\d\]$|^1st Exception:|has been reset by WDT|WDT reset info/;
const WATCHDOG_PC = /WDT reset info: .{0,20}PC=0x([0-9a-fA-F]{8})/;

/** The address in such a line, and whether the line is one at all. */
export function resetPlaceIn(body: string): { address: number | null; isOfReset: boolean } {
  const address = (SAVED_PC.exec(body) ?? TRAP.exec(body) ?? WATCHDOG_PC.exec(body))?.[1];
  if (address !== undefined) return { address: Number.parseInt(address, 16), isOfReset: true };
  return { address: null, isOfReset: OF_LOCKUP.test(body) };
}

/** The first lines of a boot: of the ROM, and of the ESP32's. */
const BOOT = /^(?:ESP-ROM:esp32|ets [A-Z][a-z]{2} {1,2}\d{1,2} 20\d\d)|\brst:0x[0-9a-fA-F]{1,2} \(/;

export function isBoot(body: string): boolean {
  return BOOT.test(body);
}

/** What boot logs say of the device. */
export interface BootFact {
  at: number;
  isBoot: boolean;
  chip: string | null;
  version: string | null;
  appElfSha256: string | null;
}

const CHIP =
  /ESP-ROM:(esp32\w{0,4})|[Cc]hip (?:is|type:) {1,12}(ESP32\S{0,24})|^Machine +: .{0,80}? with (ESP32\S{0,8})|--chip (esp32\w{0,4})/;
const VERSION = /^App version: {1,12}(\S{1,64})/;
const SHA = /^ELF file SHA256: {1,4}([0-9a-f]{8,64})/;
const WORTH_READING = /esp|ESP|chip|Chip|App version|SHA256|rst:|ets /;

export function bootFactsOf(lines: readonly Line[]): BootFact[] {
  return lines.flatMap(({ body, tag }, at) => {
    if (!WORTH_READING.test(body)) return [];
    const named = CHIP.exec(body)
      ?.slice(1)
      .find((name) => name !== undefined);
    const fact = {
      at,
      isBoot: isBoot(body),
      chip: named === undefined ? null : chipNamed(named),
      version: VERSION.exec(body)?.[1] ?? null,
      // In a panic it has no tag, and no dots behind it.
      appElfSha256: tag !== null || body.endsWith('...') ? shaIn(body) : null,
    };
    const isFact = fact.isBoot || fact.chip !== null || fact.version !== null || fact.appElfSha256 !== null;
    return isFact ? [fact] : [];
  });
}

/** Zeros are what a build without the step that writes it has. */
export function shaIn(body: string): string | null {
  const sha = SHA.exec(body)?.[1] ?? null;
  return sha === null || /^0+$/.test(sha) ? null : sha;
}
