import { useId, useState } from 'react';
import { graphql } from '../../generated';
import { useDebounced } from '../../parts/use-debounced';
import { useTitle } from '../../parts/use-title';
import '../../styles/decode.css';
import { CrashInput } from './crash-input';
import { DecodedCrash } from './decoded-crash';
import { FirmwareInput } from './firmware-input';
import type { GivenFirmware } from './reader-messages';
import { ReadingLine } from './reading-line';
import { LIMITS, sortFiles } from './recognise';
import { ReadByServer, type ServerReading } from './server-reading';
import { LONGEST_TYPED, useDropAndPaste } from './use-drop-and-paste';
import { useLocalReading } from './use-local-reading';

graphql(`
  fragment DecodedReport on CrashReport {
    ...ReportOnPage
    usesElf
    tasks { registers { name value symbol meaning } }
    memoryRegions { name address size attributes source }
  }
`);

/** A crash that somebody has at hand, in whatever form: read in this browser, then, if wanted, stored for a device. */
export function DecodePage() {
  useTitle('Decode a crash');
  const [text, setText] = useState('');
  const [file, setFile] = useState<File | null>(null);
  const [firmware, setFirmware] = useState<(GivenFirmware & { file: File }) | null>(null);
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [field, setField] = useState<HTMLTextAreaElement | null>(null);
  const [sent, setSent] = useState<{ crash: File; answer: ServerReading } | null>(null);
  const limitsId = useId();

  const typed = useTyped(text);
  const crash = file ?? typed;
  const byServer = firmware === null && sent?.crash === crash ? sent.answer : null;
  const { reading, stop, again } = useLocalReading(crash, firmware);

  async function takeFiles(files: readonly File[]): Promise<void> {
    const given = await sortFiles(files);
    setProblems(given.problems);
    if (given.crash !== null) setFile(given.crash);
    if (given.firmware !== null) setFirmware({ key: nextKey++, file: given.firmware });
  }
  function takeText(pasted: string): void {
    setProblems([]);
    if (pasted.length > LONGEST_TYPED) {
      setFile(new File([pasted], 'pasted text'));
      return;
    }
    setFile(null);
    setText(pasted);
    field?.focus();
  }
  const isOver = useDropAndPaste({ field, onFiles: (files) => void takeFiles(files), onText: takeText });

  return (
    <div className="decode" data-over={isOver}>
      <header className="page-head">
        <h1>Decode a crash</h1>
      </header>
      <p className="decode-intro">
        Drop or paste a core dump, a serial log, a panic text or a list of addresses anywhere on this page,
        and the firmware’s ELF if you have it. Both are read in this browser: nothing is sent to the server
        unless you ask for it below.
      </p>
      <div className="decode-inputs">
        <CrashInput
          file={file}
          text={text}
          onText={setText}
          onFiles={(files) => void takeFiles(files)}
          onRemove={() => setFile(null)}
          fieldRef={setField}
          describedBy={limitsId}
        />
        <FirmwareInput
          file={firmware?.file ?? null}
          outcome={reading.state === 'read' ? reading.firmware : null}
          onFiles={(files) => void takeFiles(files)}
          onRemove={() => setFirmware(null)}
        >
          {crash !== null && firmware === null && (
            <ReadByServer crash={crash} onRead={(answer) => setSent({ crash, answer })} />
          )}
        </FirmwareInput>
      </div>
      <p id={limitsId} className="hint">
        At most {LIMITS.crash} of crash and {LIMITS.firmware} of ELF. Of a ZIP bundle, give the ELF in it.
      </p>
      {problems.length > 0 && (
        <ul className="notice" data-tone="danger" role="alert">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      {byServer === null && (
        <ReadingLine reading={reading} hasCrash={crash !== null} onStop={stop} onAgain={again} />
      )}
      {crash !== null && (
        <DecodedCrash
          crash={crash}
          byServer={byServer}
          outcome={reading.state === 'read' ? reading.crash : null}
          firmware={reading.state === 'read' ? reading.firmware : null}
        />
      )}
    </div>
  );
}

let nextKey = 1;

/** What was typed, once typing has paused; the same object as long as the text is the same. */
function useTyped(text: string): File | null {
  const settled = useDebounced(text);
  const [typed, setTyped] = useState<{ text: string; file: File | null }>({ text: '', file: null });
  if (typed.text !== settled) {
    setTyped({ text: settled, file: settled.trim() === '' ? null : new File([settled], 'pasted text') });
  }
  return typed.file;
}
