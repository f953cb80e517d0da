import type { PrintedCall } from './crash-text.js';
import { clean, type FoundCrash, newCore, noCrash } from './found-crash.js';

/**
 * Tasmota's support_crash_recorder.ino: `{"Exception":28,"Reason":"LoadProhibited","EPC":"400d66bc","EXCVADDR":"00000000",
 * "CallChain":["400d66f5",…]}` in `Status 12`. It is found in a log as well, and where it is a text in other JSON.
 */
const CHAIN = /"CallChain\\*" {0,4}: {0,4}\[/g;
const EXCEPTION = /"Exception\\*" {0,4}: {0,4}(\d{1,10})/;
const REASON = /"Reason\\*" {0,4}: {0,4}\\*"([^"\\]{0,64})/;
const EPC = /"EPC\\*" {0,4}: {0,4}\\*"([0-9a-fA-F]{8})/;
const ADDRESS = /"EXCVADDR\\*" {0,4}: {0,4}\\*"([0-9a-fA-F]{8})/;
/** An ESP8266 has three and writes a list. */
const OF_ESP8266 = /"EPC\\*" {0,4}: {0,4}\[|"DEPC\\*"/;
const ENTRY = /\\*"([0-9a-fA-F]{8})\\*"/g;
/** The fields before the chain, and 48 entries with their quotes. */
const BEFORE = 400;
const BEHIND = 1200;
const RISCV_REASON = /^[A-Z][a-z]+ [a-z]/;
const WHAT_HIDES = 'Tasmota records abort() and failed assertions as an illegal instruction too.';

/** @param text as it was sent: the fields of JSON belong together */
export function readTasmotaCrashes(text: string, line: number): FoundCrash[] {
  const found = new Map<string, FoundCrash>();
  for (const { index } of text.matchAll(CHAIN)) {
    const before = text.slice(Math.max(0, index - BEFORE), index);
    const head = before.slice(Math.max(0, before.lastIndexOf('{')));
    if (OF_ESP8266.test(head)) continue;
    const tail = text.slice(index, index + BEHIND).replace(CHAIN, '');
    const end = tail.indexOf(']');
    const chain = [...(end < 0 ? tail : tail.slice(0, end)).matchAll(ENTRY)].map(([, hex = '']) =>
      Number.parseInt(hex, 16),
    );
    const crash = toCrash(head, chain, end < 0, line);
    // `Status 12` may be asked again and again.
    if (crash !== null && found.size < 64) found.set(head + chain.join(), crash);
  }
  return [...found.values()];
}

function toCrash(head: string, chain: number[], isCut: boolean, line: number): FoundCrash | null {
  const exception = EXCEPTION.exec(head)?.[1];
  const reason = REASON.exec(head)?.[1];
  const epc = EPC.exec(head)?.[1];
  const address = ADDRESS.exec(head)?.[1];
  if (epc === undefined && chain.length === 0) return null;
  const isRiscv = RISCV_REASON.test(reason ?? '');
  const core = newCore();
  if (epc !== undefined) core.registers.set(isRiscv ? 'mepc' : 'pc', Number.parseInt(epc, 16));
  core.calls = chain.map(
    (pc, index): PrintedCall => ({
      pc,
      sp: null,
      kind: isRiscv ? (index === 0 ? 'return' : 'scan') : 'call',
    }),
  );
  core.callsEnd = isCut ? 'cut' : null;
  const isIllegal = /^Illegal ?instruction$/i.test(reason ?? '');
  return {
    ...noCrash('Tasmota crash record', line),
    architecture: isRiscv ? 'riscv' : 'xtensa',
    exceptionName: reason === undefined ? null : clean(reason),
    exceptionDetails: isIllegal ? [WHAT_HIDES] : [],
    cause: exception === undefined ? null : Number(exception) >>> 0,
    faultAddress: address === undefined ? null : Number.parseInt(address, 16),
    cores: [core],
    missing: [...(isCut ? ['the end of the backtrace'] : []), ...(epc === undefined ? ['the PC'] : [])],
  };
}
