/** The line that says why ESP-IDF's panic handler runs (esp_system/panic.c). */
export interface IdfCause {
  /** Of "panic'ed (LoadProhibited)"; null for abort and the like. */
  exceptionName: string | null;
  /** The text of abort(), assert(), …; null for exceptions. */
  details: string | null;
  core: number | null;
  task: string | null;
  /** The address that the text of abort() names: in the call instruction, on all chips. */
  abortedAt: number | null;
  /** Says little beside another text: abort() is called by what printed that one. */
  isGeneral: boolean;
  /** Nothing but the cause is in the line, as the device prints it: prose that quotes it has words around. */
  isAlone: boolean;
}

const NO_CAUSE: IdfCause = {
  exceptionName: null,
  details: null,
  core: null,
  task: null,
  abortedAt: null,
  isGeneral: false,
  isAlone: false,
};

/** `Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.`, whatever quotes became of the '. */
const EXCEPTION = /(?:Core {1,4}(\d)|(LP Core)|Core) {1,4}panic.{0,3}ed(.*)$/;
const NAME = /^ {1,4}\(([^()]{1,80})\)(.*)$/;
/** ESP-IDF 1 and 2. */
const OLD_EXCEPTION = /Guru Meditation Error of type (.{1,60}?) occurred on core {1,4}(\d)(.*)$/;
/** Nothing is whole but its beginning. */
const CUT_EXCEPTION = /^Guru Meditation Error: Core {0,4}\d? ?(?:p|pa|pan|pani|panic.{0,3})?$/;
const DESCRIPTION = /^\.? *(?:Exception was unhandled\.?)? *$/;

export function exceptionIn(body: string): IdfCause | null {
  if (!body.includes('panic') && !body.includes('Guru')) return null;
  const isBeginning = body.startsWith('Guru Meditation Error');
  const found = EXCEPTION.exec(body);
  if (found) {
    const [, core, lowPower, rest = ''] = found;
    const [, name, behind = ''] = NAME.exec(rest) ?? [];
    const isOfLowPower = lowPower !== undefined;
    return {
      ...NO_CAUSE,
      exceptionName: (isOfLowPower ? rest.trim().slice(0, 80) || null : name) ?? null,
      core: core === undefined ? null : Number(core),
      isAlone: isBeginning && (isOfLowPower || name === undefined || DESCRIPTION.test(behind)),
    };
  }
  const old = OLD_EXCEPTION.exec(body);
  if (old) {
    const [, name = '', core, rest = ''] = old;
    return {
      ...NO_CAUSE,
      exceptionName: name,
      core: Number(core),
      isAlone: isBeginning && DESCRIPTION.test(rest),
    };
  }
  return CUT_EXCEPTION.test(body) ? { ...NO_CAUSE, isAlone: true } : null;
}

const ABORT = /abort\(\) was called at PC 0x([0-9a-fA-F]{1,8})(?: on core (\d))?/;
/** It is printed without zeros in front, and no code is at so small an address: the text is cut. */
const WHOLE_ADDRESS = 8;
const OVERFLOW = /\*\*\*ERROR\*\*\* A stack overflow in task (.{0,32}?) has been detected/;
const RETURNED = /^FreeRTOS Task "(.{0,32}?)" should not return/;

const TEXTS: readonly RegExp[] = [
  /^assert failed: .{1,400}/,
  // ESP-IDF up to 4.2, and newlib's.
  /^assertion ".{1,400}" failed: file ".{1,256}", line \d+/,
  /^Undefined behavior of type \w{1,64}/,
  /^Mem alloc fail\. size 0x[0-9a-fA-F]{1,8} caps 0x[0-9a-fA-F]{1,8}/,
];
const WHOLE_TEXTS: readonly string[] = ['Stack smashing protect failure!', 'KASAN: invalid memory access'];

/** What ESP-IDF gives to `panic_abort` instead of an exception. */
export function abortIn(body: string): IdfCause | null {
  const abort = ABORT.exec(body);
  if (abort) {
    const [text, pc = '', core] = abort;
    return {
      ...NO_CAUSE,
      details: text,
      core: core === undefined ? null : Number(core),
      abortedAt: pc.length === WHOLE_ADDRESS ? Number.parseInt(pc, 16) : null,
      isGeneral: true,
      isAlone: body === text,
    };
  }
  const overflow = OVERFLOW.exec(body);
  if (overflow) {
    const isAlone = body.startsWith('***ERROR***') && body.length <= overflow[0].length + 1;
    return { ...NO_CAUSE, details: `${overflow[0]}.`, task: overflow[1] ?? null, isAlone };
  }
  const returned = RETURNED.exec(body);
  if (returned) return { ...NO_CAUSE, details: body, task: returned[1] ?? null, isAlone: true };
  if (TEXTS.some((text) => text.test(body))) return { ...NO_CAUSE, details: body, isAlone: true };
  const whole = WHOLE_TEXTS.find((text) => body.startsWith(text));
  // Applications log such words too.
  return whole === undefined ? null : { ...NO_CAUSE, details: body, isAlone: body === whole };
}

/** Printed before abort() by who calls it. */
const PREFACES: readonly RegExp[] = [
  /^ESP_ERROR_CHECK failed: /,
  /^CORRUPT HEAP: /,
  /^KASAN error: /,
  /^Bug type: /,
  /^terminate called /,
  /^what\(\): /,
  /^thread '.{0,64}' (?:\(\d+\) )?panicked at /,
];
/** Behind ESP_ERROR_CHECK (esp_err.c). */
const PREFACE_LINES: readonly RegExp[] = [/^file: ".*" line \d+/, /^func: /, /^expression: /];

export function isPreface(body: string): boolean {
  return PREFACES.some((preface) => preface.test(body));
}

export function isPrefaceLine(body: string): boolean {
  return PREFACE_LINES.some((line) => line.test(body));
}

/** ESP_ERROR_CHECK ends the program; the heap's own check may only have been asked. */
export function endsProgram(preface: string): boolean {
  return preface.startsWith('ESP_ERROR_CHECK failed: ');
}

/** What stands between cause and registers (panic_arch.c, panic_soc.c, panic_memprot.c, cache_err_int.c of all chips). */
const DETAILS: readonly RegExp[] = [
  /^Memory dump at 0x/,
  /^Debug exception reason: /,
  /^Cache (?:disabled but|access error|error active)/,
  /\berror address: 0x/,
  /\bthe error address and size is 0x/,
  /\berror occurred while accessing the address/,
  /^The following backtrace may not indicate/,
  /^Write back error occurred/,
  /^(?:[ID]cache|MMU|[DI]bus|[di]bus|Preload|Sync|Cached memory|access to cache|.{0,20}configurations fault)/,
  /^(?:Instruction fetch|Read|Write|Unknown) operation at address 0x/,
  /^EXTMEM_\w{1,48} = 0x/,
  /^ASSIST_DEBUG is not triggered/,
  /^Detected in task "/,
  /^Stack (?:pointer|bounds): 0x/,
  /^(?:memory type|faulting address|world|operation type|byte-enables): /,
  /^- no details available -/,
  /^Fault addr: 0x/,
];

export function isDetail(body: string): boolean {
  return DETAILS.some((detail) => detail.test(body));
}

const CANARY = /Stack canary watchpoint triggered \((.{1,32}?)\)/;
const GUARD = /^Detected in task "(.{1,32}?)" at 0x/;

/** The task that a detail names. */
export function taskIn(detail: string): string | null {
  return (CANARY.exec(detail) ?? GUARD.exec(detail))?.[1] ?? null;
}
