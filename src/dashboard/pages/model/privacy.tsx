import { useState } from 'react';
import { graphql } from '../../generated';
import type { ModelOnPageFragment } from '../../generated/graphql';
import { Fact } from '../../parts/fact';
import { countText } from '../../parts/sizes';
import { ForAdmins } from '../../session/role';
import { PrivacyDialog } from './privacy-dialog';

graphql(`
  fragment ModelOnPage on DeviceModel {
    id code name
    links { sourceUrl sourcePrefixes compareUrl ticketUrl deviceUrl }
    privacy { removeRawOnceRead keepRawDays rawForAdminsOnly }
  }
`);

/** How long a model's dumps keep their raw bytes, which contain device memory, and who may download them. */
export function Privacy({ model }: { model: ModelOnPageFragment }) {
  const [isOpen, setOpen] = useState(false);
  const { removeRawOnceRead, keepRawDays, rawForAdminsOnly } = model.privacy;
  const ends = [
    ...(removeRawOnceRead ? ['until the dump is parsed'] : []),
    ...(keepRawDays == null ? [] : [`${countText(keepRawDays, 'day')} at most`]),
  ];
  return (
    <section className="card" aria-labelledby="privacy">
      <header className="card-head">
        <h2 id="privacy">Data retention</h2>
        <ForAdmins>
          <button type="button" className="quiet-button" onClick={() => setOpen(true)}>
            Change
          </button>
        </ForAdmins>
      </header>
      <dl className="facts">
        <Fact name="Raw dumps">
          {ends.length === 0 ? 'as long as the dump' : `${ends.join(', ')}; no longer than the dump`}
        </Fact>
        <Fact name="Downloads">{rawForAdminsOnly ? 'for admins only' : 'for viewers and admins'}</Fact>
        <Fact name="Reports">as long as the dump; viewers never see memory contents</Fact>
        <Fact name="Dumps">
          until their device has too many newer ones (MAX_COREDUMPS), or a person deletes them
        </Fact>
      </dl>
      <PrivacyDialog model={model} isOpen={isOpen} onClose={() => setOpen(false)} />
    </section>
  );
}
