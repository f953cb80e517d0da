import type { ReportOnPageFragment } from '../../generated/graphql';

type Register = ReportOnPageFragment['registers'][number];

/** The crashed task's registers, and the symbols at their values. */
export function Registers({ registers }: { registers: readonly Register[] }) {
  return (
    <section className="card" aria-labelledby="registers">
      <header className="card-head">
        <h2 id="registers">Registers</h2>
      </header>
      <RegisterTable registers={registers} />
    </section>
  );
}

/** Registers, and the symbols at their values. */
export function RegisterTable({ registers }: { registers: readonly Register[] }) {
  return (
    <table className="registers">
      <thead className="visually-hidden">
        <tr>
          <th scope="col">Register</th>
          <th scope="col">Value</th>
          <th scope="col">Points at</th>
        </tr>
      </thead>
      <tbody>
        {registers.map(({ name, value, symbol, meaning }) => (
          <tr key={name} data-zero={/^0x0+$/.test(value)}>
            <th scope="row">{name}</th>
            <td>{value}</td>
            <td>
              {symbol != null && <span className="symbol">{symbol}</span>}
              {meaning != null && <span className="meaning">{meaning}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
