import type { LocalReading } from './use-local-reading';

/** What the reader in this browser does, or has done; said to screen readers too. */
export function ReadingLine({
  reading,
  hasCrash,
  onStop,
  onAgain,
}: {
  reading: LocalReading;
  hasCrash: boolean;
  onStop: () => void;
  onAgain: () => void;
}) {
  return (
    <>
      <p className="reading-line" role="status">
        {reading.state === 'reading' && 'Reading in this browser…'}
        {reading.state === 'read' && 'Read in this browser; nothing was sent.'}
        {reading.state === 'read' && !hasCrash && ' Now give the crash.'}
        {reading.state === 'ended' && `Not read. ${reading.why}`}
      </p>
      {reading.state === 'reading' && (
        <button type="button" className="button" onClick={onStop}>
          Stop
        </button>
      )}
      {reading.state === 'ended' && (
        <button type="button" className="button" onClick={onAgain}>
          Read again
        </button>
      )}
    </>
  );
}
