import type { FrameOnPageFragment, TaskOnPageFragment } from '../../generated/graphql';
import { OutsideLink } from '../../parts/outside-link';
import { FrameMenu } from './frame-menu';

/**
 * The calls of a task, innermost first.
 *
 * @param culprit the function that the reader considers the place of the crash: its first frame is highlighted
 */
export function Backtrace({
  task,
  culprit,
  modelCode,
}: {
  task: TaskOnPageFragment;
  culprit?: string | undefined;
  /** The model whose rules say which code is own. */
  modelCode?: string | undefined;
}) {
  return (
    <>
      {task.stackCorrupted && (
        <p className="notice" data-tone="warn">
          The device found this stack corrupted and did not dump it.
        </p>
      )}
      {task.stackOverflow != null && !task.crashed && (
        <p className="notice" data-tone="danger">
          Stack overflow: {task.stackOverflow}.
        </p>
      )}
      {task.frames.length > 0 && <Frames frames={task.frames} culprit={culprit} modelCode={modelCode} />}
      {task.frames.length === 0 && task.backtraceEnd == null && !task.stackCorrupted && (
        <p className="backtrace-end">There is no backtrace.</p>
      )}
      {task.backtraceEnd != null && <p className="backtrace-end">Backtrace ends here: {task.backtraceEnd}</p>}
      {task.interruptedFrames.length > 0 && (
        <>
          <h3 className="frames-title">Interrupted by that handler</h3>
          <Frames frames={task.interruptedFrames} modelCode={modelCode} />
        </>
      )}
    </>
  );
}

function Frames({
  frames,
  culprit,
  modelCode,
}: {
  frames: readonly FrameOnPageFragment[];
  culprit?: string | undefined;
  modelCode?: string | undefined;
}) {
  const culpritAt = frames.findIndex((frame) => frame.function != null && frame.function === culprit);
  return (
    <ol className="frames">
      {frames.map((frame, at) => (
        <Frame key={frame.index} frame={frame} isCulprit={at === culpritAt} modelCode={modelCode} />
      ))}
    </ol>
  );
}

/** Ways of finding a caller that are less certain than call frame information, by their `FrameTrust`. */
const DOUBTS: Readonly<Record<string, { name: string; title: string }>> = {
  SCAN: { name: 'uncertain', title: 'Found by scanning the stack: it may not be a real caller' },
  PRINTED: {
    name: 'as printed',
    title: 'The device printed this address: its arguments and registers are not known',
  },
  LINK: {
    name: 'by return register',
    title: 'Found by the return address register: there is no call-frame information',
  },
  PROLOGUE: {
    name: 'without call-frame information',
    title: 'Found by the first instructions of the function: there is no call-frame information for it',
  },
};

function Frame({
  frame,
  isCulprit,
  modelCode,
}: {
  frame: FrameOnPageFragment;
  isCulprit: boolean;
  modelCode: string | undefined;
}) {
  const { index, pc, file, line, inlined, inRom, trust, arguments: passed } = frame;
  const doubt = DOUBTS[trust];
  return (
    <li className="frame" data-trust={trust} data-culprit={isCulprit} data-own={frame.isOwnCode}>
      <span className="frame-index">#{index}</span>
      <div className="frame-call">
        <span className="frame-function">{frame.function ?? (inRom ? 'ROM' : '??')}</span>
        {frame.function != null && (
          <span className="frame-arguments">
            (
            {passed.map((argument, at) => (
              <span key={argument.name}>
                <Argument argument={argument} />
                {at < passed.length - 1 && ', '}
              </span>
            ))}
            )
          </span>
        )}
        {file != null && <Place file={file} line={line ?? null} sourceUrl={frame.sourceUrl ?? null} />}
      </div>
      <span className="frame-marks">
        {inlined && <Mark name="inlined" title="The code of this function is inside the function below" />}
        {inRom && <Mark name="ROM" title="In the chip’s mask ROM" />}
        {doubt !== undefined && <Mark {...doubt} />}
        <span className="frame-pc">{pc}</span>
        {modelCode !== undefined && <FrameMenu frame={frame} modelCode={modelCode} />}
      </span>
    </li>
  );
}

/** GDB prints the value at the function's entry as `name@entry=value`; then that is the argument's name. */
function Argument({ argument: { name, value } }: { argument: FrameOnPageFragment['arguments'][number] }) {
  const atEntry = `${name}@entry`;
  const isAtEntry = value.startsWith(`${atEntry}=`);
  const shown = isAtEntry ? value.slice(atEntry.length + 1) : value;
  return (
    <>
      {isAtEntry ? atEntry : name}=
      {shown.startsWith('<') ? shown : <span className="argument-value">{shown}</span>}
    </>
  );
}

function Place({ file, line, sourceUrl }: { file: string; line: number | null; sourceUrl: string | null }) {
  const cut = Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1;
  const name = (
    <>
      {file.slice(0, cut)}
      <b>
        {file.slice(cut)}
        {line !== null && `:${line}`}
      </b>
    </>
  );
  return (
    <span className="place">
      {sourceUrl === null ? (
        name
      ) : (
        <OutsideLink href={sourceUrl} className="place-link" label={`${file} line ${line} in the repository`}>
          {name}
        </OutsideLink>
      )}
    </span>
  );
}

function Mark({ name, title }: { name: string; title: string }) {
  return (
    <span className="mark" title={title}>
      {name}
    </span>
  );
}
