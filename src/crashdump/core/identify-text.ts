/**
 * Names in one sentence what a text is that carries no core dump.
 * @param hasMarker the text has a CORE DUMP START line
 */
export function identifyText(text: string, hasMarker: boolean): string {
  const named = nameText(text);
  if (named !== null) return named;
  return hasMarker
    ? 'Behind the line CORE DUMP START is no base64 or hexadecimal text: the core dump itself is missing.'
    : 'This is text, but no base64 or hexadecimal core dump is in it.';
}

/** The same for texts that can be recognised; null for others. */
export function nameText(text: string): string | null {
  const head = text.slice(0, HEAD).trimStart();
  if (/^<(?:!doctype|html|head|body|\?xml)/i.test(head))
    return `This is a web page${titleOf(head)}, not a core dump: did a proxy or a login page come in between?`;
  if (head.startsWith('--') && /content-disposition:/i.test(head)) return MULTIPART;
  if (/(?:^|\n)[^\n]{0,200}#CD:(?:BEGIN|END|[0-9a-f]{2})/i.test(head))
    return 'This is a core dump of Zephyr (#CD: lines), not of ESP-IDF.';
  for (const [sign, maker] of FOREIGN_SIGNS) {
    if (sign.test(text)) return `This is the crash of ${maker}, which is not read here.`;
  }
  for (const [sign, kind] of PANIC_SIGNS) {
    if (sign.test(text))
      return `This looks like a panic text (${kind}), but there is nothing of a crash in it that could be read: is it whole?`;
  }
  if (/^[{[]/.test(head)) return 'This is JSON, but no base64 or hexadecimal core dump is in it.';
  return null;
}

export const MULTIPART =
  'This is a multipart form with the dump inside, not the dump: send the file itself as the body, for example with curl --data-binary @FILE.';

const HEAD = 64 * 1024;

/** Crashes of other chips, and of those that print no addresses. */
const FOREIGN_SIGNS: readonly [RegExp, string][] = [
  [/\[esp8266:|"DEPC\\*"\s*:|Exception \(\d+\):|>>>stack>>>/, 'an ESP8266'],
  [/\[rp2(?:040)?\.crash:/, 'an RP2040'],
  [/You are in safe mode because:|CircuitPython core code crashed hard/, 'CircuitPython, without addresses'],
];

/** What firmware prints when it crashes, the most telling first (IDF panic.c, and others that imitate it). */
const PANIC_SIGNS: readonly [RegExp, string][] = [
  [/CRASH DETECTED ON PREVIOUS BOOT/, "it is ESPHome's report of a crash"],
  [/"StatusSTK"|"CallChain"\s*:/, "it is Tasmota's record of a crash"],
  [/A panic occured in|== PANIC ==|panicked at /, 'it is of a Rust program'],
  [/Guru Meditation Error/, 'it has the exception and registers, maybe a backtrace'],
  [/\bassert failed: /, 'it has the assertion that failed'],
  [/abort\(\) was called at PC/, 'it says where abort() was called'],
  [/\*\*\*ERROR\*\*\* A stack overflow in task/, 'it names a task that overflowed its stack'],
  [/Stack (?:canary watchpoint|smashing protect)/, 'it says that a stack was overwritten'],
  [/Task watchdog got triggered|Interrupt wdt timeout/, 'it is of a watchdog'],
  [/ZEPHYR FATAL ERROR|\*\* FATAL EXCEPTION/, 'it is of Zephyr'],
  [/register dump:|\bMEPC {1,8}:|\bEXCCAUSE {0,8}:/, 'it has registers'],
  [/Backtrace:\s{0,8}0x[0-9a-fA-F]{8}/, 'it has a backtrace'],
  [/Brownout detector was triggered|CORRUPT HEAP:/, 'it says why the chip stopped'],
  [/ESP_ERROR_CHECK failed|Cache disabled but cached memory/, 'it says why the chip stopped'],
];

/** `: "502 Bad Gateway"` */
function titleOf(page: string): string {
  const title = /<(?:title|h1)[^>]{0,200}>([^<]{1,80})</i.exec(page)?.[1]?.trim();
  return title === undefined || title === '' ? '' : ` ("${title.replaceAll(/[^\x20-\x7e]/g, '?')}")`;
}
