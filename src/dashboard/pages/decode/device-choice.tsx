import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import { ErrorNotice, Loading } from '../../parts/notices';
import { useDebounced } from '../../parts/use-debounced';

const DevicesToChoose = graphql(`
  query DevicesToChoose($filter: DeviceFilter) {
    devices(first: 8, filter: $filter) { totalCount nodes { id key name serial model { id code } } }
  }
`);

/** One of the devices that a search finds: the form's field `device`. */
export function DeviceChoice() {
  const [words, setWords] = useState('');
  const search = useDebounced(words.trim());
  const [{ data, fetching, error }] = useQuery({
    query: DevicesToChoose,
    variables: { filter: search === '' ? null : { search } },
  });
  const devices = data?.devices?.nodes ?? [];
  const more = (data?.devices?.totalCount ?? 0) - devices.length;
  return (
    <>
      <input
        type="search"
        className="narrow-search"
        aria-label="Find a device"
        placeholder="Name, key or serial"
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      <fieldset className="choices">
        <legend className="visually-hidden">Device</legend>
        {devices.map(({ id, key, name, serial, model }) => (
          <label key={id}>
            <input type="radio" name="device" value={id} required /> {name ?? key}{' '}
            <span className="count">
              {model.code}
              {serial != null && ` · ${serial}`}
              {name != null && ` · ${key}`}
            </span>
          </label>
        ))}
        {fetching && devices.length === 0 && <Loading />}
        {error !== undefined && <ErrorNotice error={error} />}
        {data !== undefined && !fetching && devices.length === 0 && (
          <p className="count">No device matches.</p>
        )}
        {more > 0 && <p className="count">{more} more: search by name, key or serial.</p>}
      </fieldset>
    </>
  );
}
