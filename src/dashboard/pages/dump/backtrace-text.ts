/** What a line of a backtrace is made of: a frame of the API. */
interface Frame {
  index: number;
  pc: string;
  function?: string | null;
  file?: string | null;
  line?: number | null;
  inRom: boolean;
  trust: string;
  atLineStart: boolean;
  arguments: readonly { name: string; value: string }[];
}

/** A task's calls as text, as GDB and `coredock parse` print them. */
export function backtraceText({
  frames,
  interruptedFrames,
  backtraceEnd,
}: {
  frames: readonly Frame[];
  interruptedFrames: readonly Frame[];
  backtraceEnd?: string | null;
}): string {
  return [
    ...frames.map(lineOf),
    ...(backtraceEnd == null ? [] : [`Backtrace stopped: ${backtraceEnd}`]),
    ...(interruptedFrames.length === 0
      ? []
      : ['', '--- where the interrupt came ---', ...interruptedFrames.map(lineOf)]),
  ].join('\n');
}

function lineOf(frame: Frame): string {
  const { index, pc, file, line, inRom, trust, atLineStart, arguments: passed } = frame;
  const name = frame.function ?? null;
  const recovered = trust === 'SCAN' ? ' (recovered)' : '';
  const start = `${`#${index}`.padEnd(3)} `;
  if (name === null) return `${start}${pc} in ?? (${inRom ? 'ROM' : ''})${recovered}`;
  const values = passed.map((argument) => `${argument.name}=${argument.value}`).join(', ');
  const source = file == null ? '' : ` at ${file}${line == null ? '' : `:${line}`}`;
  return `${start}${atLineStart ? '' : `${pc} in `}${name} (${values})${source}${recovered}`;
}
