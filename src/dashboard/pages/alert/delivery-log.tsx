import { Link } from 'wouter';
import type { AlertDeliveryInLogFragment, AlertDeliveryStatus } from '../../generated/graphql';
import { countText, unitText } from '../../parts/sizes';
import { Ago, Moment } from '../../parts/time';
import { EVENTS } from '../alerts/labels';

const STATUSES: Record<AlertDeliveryStatus, string> = {
  HELD: 'Held',
  PENDING: 'Pending',
  DELIVERED: 'Delivered',
  FAILED: 'Failed',
  DIGESTED: 'In a digest',
};

/** The deliveries of a rule, newest first. */
export function DeliveryLog({ deliveries }: { deliveries: readonly AlertDeliveryInLogFragment[] }) {
  return (
    <section className="card" aria-labelledby="log">
      <header className="card-head">
        <h2 id="log">Deliveries</h2>
        <span className="count">
          {deliveries.length === 0 ? 'none yet' : 'the last 100 at most, for 30 days'}
        </span>
      </header>
      {deliveries.length > 0 && (
        <table className="list">
          <thead>
            <tr>
              <th scope="col">Event</th>
              <th scope="col">State</th>
              <th scope="col">Answer of the target</th>
              <th scope="col" className="end">
                Attempts
              </th>
              <th scope="col" className="end">
                Written
              </th>
            </tr>
          </thead>
          <tbody>
            {deliveries.map((delivery) => (
              <Delivery key={delivery.id} delivery={delivery} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Delivery({ delivery }: { delivery: AlertDeliveryInLogFragment }) {
  const { event, subject, status, heldUntil, attempts, crashGroup, createdAt } = delivery;
  return (
    <tr>
      <td className="text-cell delivery-subject">
        {EVENTS[event]}
        <div className="sub-line">
          {crashGroup == null ? (
            subject
          ) : (
            <Link href={`/groups/${encodeURIComponent(crashGroup.id)}`}>{subject}</Link>
          )}
        </div>
      </td>
      <td>
        <span className="status" data-status={status}>
          <span className="dot" aria-hidden="true" />
          {STATUSES[status]}
        </span>
      </td>
      <td className="text-cell">
        {heldUntil == null ? (
          answerOf(delivery)
        ) : (
          <>
            until <Moment at={heldUntil} />
          </>
        )}
      </td>
      <td className="number" title={countText(attempts, 'attempt')} data-unit={unitText(attempts, 'attempt')}>
        {attempts}
      </td>
      <td className="end">
        <Ago at={createdAt} />
      </td>
    </tr>
  );
}

function answerOf({ httpStatus, error, status }: AlertDeliveryInLogFragment): string {
  if (error != null) return error;
  if (httpStatus != null) return `answered ${httpStatus}`;
  return status === 'DELIVERED' ? 'the mail server took it' : '—';
}
