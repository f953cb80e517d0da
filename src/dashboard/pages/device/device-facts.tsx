import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { DeviceFactsFragment } from '../../generated/graphql';
import { ApprovalMark } from '../../parts/approval-mark';
import { Fact } from '../../parts/fact';
import { OutsideLink } from '../../parts/outside-link';
import { Ago, Moment } from '../../parts/time';
import { BootFacts } from './boot-facts';

graphql(`
  fragment DeviceFacts on Device {
    serial externalUrl approval createdAt hasToken tokenUsedAt lastSeenAt lastBootAt lastBootVersion lastBootChip
    lastBootElfSha256 lastResetReason lastBootUptimeSeconds lastBootCrashPending
    lastBootFirmware { id elfSha256 revision }
    model { id code }
    ingestKey { id name }
  }
`);

/** Who it is, how it was registered, and what it last said of itself. */
export function DeviceFacts({ device }: { device: DeviceFactsFragment }) {
  const { serial, approval, createdAt, model, ingestKey, hasToken } = device;
  const { lastSeenAt } = device;
  return (
    <section className="card" aria-labelledby="about">
      <header className="card-head">
        <h2 id="about">About this device</h2>
        <ApprovalMark approval={approval} />
      </header>
      <dl className="facts">
        <Fact name="Serial">
          {serial == null ? <span className="count">not known</span> : <span className="mono">{serial}</span>}
        </Fact>
        {device.externalUrl != null && (
          <Fact name="Elsewhere">
            <OutsideLink href={device.externalUrl}>{new URL(device.externalUrl).host}</OutsideLink>
          </Fact>
        )}
        <Fact name="Registered">
          <Moment at={createdAt} />{' '}
          {ingestKey == null ? (
            'without an ingest key'
          ) : (
            <>
              by itself, with the ingest key{' '}
              <Link href={`/enrolment?${new URLSearchParams({ model: model.code })}`}>{ingestKey.name}</Link>
            </>
          )}
        </Fact>
        <Fact name="Uploads with">{hasToken ? 'a token of its own' : 'an ingest key of its model'}</Fact>
        <BootFacts device={device} />
        <Fact name="Last seen">
          {lastSeenAt == null ? <span className="count">never</span> : <Ago at={lastSeenAt} />}
        </Fact>
      </dl>
    </section>
  );
}
