import { useContext, useState } from 'react';
import { useLocation } from 'wouter';
import { withBase } from '../../base-path';
import { graphql } from '../../generated';
import type { CoredumpKind, DumpOnPageFragment } from '../../generated/graphql';
import { rawFilename } from '../../parts/crash-sources';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';
import { ForAdmins, RoleContext } from '../../session/role';
import { hereOf, saveAs } from '../../session/save-as';
import { addressOfList } from '../../shell/list-addresses';
import { useDeleteDump } from '../dumps/delete-dump';
import { ChooseBuild } from './choose-build';
import { CopyMarkdown } from './copy-markdown';
import { ShareButton } from './share-dialog';

const ReparseDump = graphql(`
  mutation ReparseDump($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id parseStatus } } }
`);

/** What can be done with a dump: take its bytes, read it again, also with another build, or delete it. */
export function DumpActions({
  dump,
  afterDelete = addressOfList('/dumps'),
}: {
  dump: DumpOnPageFragment;
  /** Where its deletion leads. */
  afterDelete?: string;
}) {
  const reparse = useAction(ReparseDump);
  const deleteDump = useDeleteDump();
  const [, navigate] = useLocation();
  const [isChoosing, setChoosing] = useState(false);
  const role = useContext(RoleContext);
  const { chosenFirmware } = dump;
  const isRawThere = dump.rawRemovedAt == null;
  return (
    <div className="actions">
      {isRawThere && (role === 'admin' || !dump.device.model.privacy.rawForAdminsOnly) && (
        <>
          <SaveLink
            name={DOWNLOAD_NAMES[dump.kind]}
            url={hereOf(dump.downloadUrl)}
            filename={rawFilename(dump)}
          />
          {/* There is none of a text, and of what is no dump. */}
          {dump.kind === 'CORE_DUMP' && dump.parseErrorKind !== 'UNREADABLE' && (
            <SaveLink
              name="ELF core for GDB"
              url={withBase(`/api/coredumps/${encodeURIComponent(dump.id)}/core.elf`)}
              filename={dump.filename.replace(/(\.dmp)?$/, '.core.elf')}
            />
          )}
        </>
      )}
      <CopyMarkdown dumpId={dump.id} />
      <ForAdmins>
        <ShareButton dumpId={dump.id} />
        {isRawThere && (
          <>
            <button
              type="button"
              className="button"
              disabled={reparse.isRunning || dump.parseStatus === 'PENDING'}
              onClick={() => void reparse.run({ id: dump.id })}
            >
              {chosenFirmware == null ? 'Parse again' : 'Parse again with its own build'}
            </button>
            <button type="button" className="button" onClick={() => setChoosing(true)}>
              Read with another build…
            </button>
            <ChooseBuild dump={dump} isOpen={isChoosing} onClose={() => setChoosing(false)} />
          </>
        )}
        <button
          type="button"
          className="button"
          data-tone="danger"
          onClick={() => {
            deleteDump(dump);
            navigate(afterDelete);
          }}
        >
          Delete
        </button>
      </ForAdmins>
    </div>
  );
}

const DOWNLOAD_NAMES: Readonly<Record<CoredumpKind, string>> = {
  CORE_DUMP: 'Download',
  PANIC_TEXT: 'Download the text',
  SUMMARY: 'Download the JSON',
};

function SaveLink({ name, url, filename }: { name: string; url: string; filename: string }) {
  const { show } = useToasts();
  return (
    <a
      className="button"
      href={url}
      download={filename}
      onClick={(event) => {
        // A browser says only that a download has failed, and not why.
        event.preventDefault();
        saveAs(filename, url).catch((error: unknown) => show({ text: String(error), isError: true }));
      }}
    >
      {name}
    </a>
  );
}
