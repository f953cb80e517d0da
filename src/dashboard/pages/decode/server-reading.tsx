import { type FormEvent, useState } from 'react';
import { useMutation } from 'urql';
import { WITH_FILE } from '../../api/client';
import { messageOf } from '../../api/messages';
import { graphql } from '../../generated';
import type { DecodeCrashMutation } from '../../generated/graphql';
import { Field } from '../../parts/field';
import { BuildChoice } from '../dump/build-choice';
import { ModelSelect } from './model-select';

const DecodeCrash = graphql(`
  mutation DecodeCrash($input: DecodeCrashInput!) {
    decodeCrash(input: $input) {
      kind output report { ...DecodedReport } firmware { id version model { id code } }
    }
  }
`);

export type ServerReading = NonNullable<DecodeCrashMutation['decodeCrash']>;

/** Offers to read the crash with the builds of the server, for who does not have the ELF. Sends it only when told to. */
export function ReadByServer({ crash, onRead }: { crash: File; onRead: (reading: ServerReading) => void }) {
  const [{ fetching, error }, decode] = useMutation(DecodeCrash);
  const [isChoosing, setChoosing] = useState(false);
  const [modelCode, setModelCode] = useState('');

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || null;
    const { data } = await decode(
      {
        input: {
          file: crash,
          modelCode: modelCode || null,
          firmwareId: text('build'),
          firmwareVersion: text('version'),
        },
      },
      WITH_FILE,
    );
    if (data?.decodeCrash != null) onRead(data.decodeCrash);
  }

  return (
    <form
      className="read-by-server"
      aria-labelledby="read-by-server"
      onSubmit={(event) => void submit(event)}
    >
      <h3 id="read-by-server">No ELF at hand?</h3>
      <p className="hint">
        The server has builds. The button sends the crash to it; it reads the crash and keeps nothing of it.
      </p>
      <details className="choose-server-build" onToggle={(event) => setChoosing(event.currentTarget.open)}>
        <summary>For a crash that does not name its build</summary>
        {isChoosing && (
          <div className="read-by-server-fields">
            <ModelSelect value={modelCode} onChoose={setModelCode} otherwise="Any" />
            <Field label="Version" name="version" placeholder="As the crash says" maxLength={64} />
            {modelCode !== '' && (
              <BuildChoice
                modelCode={modelCode}
                otherwise="The build that the crash names, else by version"
              />
            )}
          </div>
        )}
      </details>
      {error !== undefined && (
        <p className="notice" data-tone="danger" role="alert">
          {messageOf(error)}
        </p>
      )}
      <div>
        <button type="submit" className="button" data-tone="primary" disabled={fetching}>
          {fetching ? 'Reading…' : 'Read with the server’s builds'}
        </button>
      </div>
    </form>
  );
}
