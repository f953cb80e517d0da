import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { VariantInListFragment } from '../../generated/graphql';
import { dumpsOf } from '../../parts/crash-version';

graphql(`
  fragment VariantInList on CrashVariant {
    chip count firmwareVersion lastSeenAt
    model { id code }
  }
`);

/** The models, versions and chips on which a group was seen, with counts. */
export function VariantTable({ variants }: { variants: readonly VariantInListFragment[] }) {
  const highest = Math.max(1, ...variants.map(({ count }) => count));
  return (
    <section className="card" aria-labelledby="variants">
      <header className="card-head">
        <h2 id="variants">Seen on</h2>
      </header>
      <ul className="variants">
        {variants.map(({ model, firmwareVersion, chip, count }) => (
          <li key={`${model?.code} ${firmwareVersion} ${chip}`}>
            {model == null ? (
              `a deleted model ${firmwareVersion}`
            ) : (
              <Link href={dumpsOf(model.code, firmwareVersion, null)}>
                {model.code} {firmwareVersion}
              </Link>
            )}
            <span className="mono count">{chip}</span>
            <span className="stack-bar" aria-hidden="true">
              <span style={{ width: `${(count / highest) * 100}%` }} />
            </span>
            <span className="number">{count.toLocaleString('en')}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
