import type { AlertDeliveryInLogFragment, AlertDeliveryStatus } from '../../generated/graphql';
import { countText, unitText } from '../../parts/sizes';
import { Ago } from '../../parts/time';
import { EVENTS } from '../alerts/labels';

const STATUSES: Record<AlertDeliveryStatus, string> = {
  PENDING: 'Pending',
  DELIVERED: 'Delivered',
  FAILED: 'Failed',
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
  const { event, status, attempts, httpStatus, error, createdAt } = delivery;
  return (
    <tr>
      <td>{EVENTS[event]}</td>
      <td>
        <span className="status" data-status={status}>
          <span className="dot" aria-hidden="true" />
          {STATUSES[status]}
        </span>
      </td>
      <td className="text-cell">{error ?? (httpStatus == null ? '—' : `answered ${httpStatus}`)}</td>
      <td className="number" title={countText(attempts, 'attempt')} data-unit={unitText(attempts, 'attempt')}>
        {attempts}
      </td>
      <td className="end">
        <Ago at={createdAt} />
      </td>
    </tr>
  );
}
