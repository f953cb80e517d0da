import { useLocation } from 'wouter';
import { graphql } from '../../generated';
import type { GroupOnPageFragment } from '../../generated/graphql';
import { useAction } from '../../parts/use-action';
import { ForAdmins } from '../../session/role';

const SplitGroup = graphql(`
  mutation SplitGroup($id: ID!, $fingerprints: [String!]!) {
    splitCrashGroup(input: { id: $id, fingerprints: $fingerprints }) { crashGroup { id } }
  }
`);

/** The fingerprints of a group; a merged group has several, and each can be split off again. */
export function Fingerprints({ group }: { group: GroupOnPageFragment }) {
  const { run, isRunning } = useAction(SplitGroup);
  const [, navigate] = useLocation();
  const isMerged = group.fingerprints.length > 1;

  async function split(fingerprint: string) {
    const answer = await run({ id: group.id, fingerprints: [fingerprint] });
    if (answer === undefined) return;
    navigate(`/groups/${encodeURIComponent(answer.splitCrashGroup.crashGroup.id)}`);
  }

  return (
    <section className="card" aria-labelledby="fingerprints">
      <header className="card-head">
        <h2 id="fingerprints">{isMerged ? 'Fingerprints' : 'Fingerprint'}</h2>
      </header>
      <ul className="fingerprints">
        {group.fingerprints.map((fingerprint) => (
          <li key={fingerprint}>
            <span className="mono">{fingerprint}</span>
            {isMerged && (
              <ForAdmins>
                <button
                  type="button"
                  className="quiet-button"
                  disabled={isRunning}
                  onClick={() => void split(fingerprint)}
                >
                  Split off
                </button>
              </ForAdmins>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
