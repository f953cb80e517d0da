import type { Client } from 'urql';
import { graphql } from '../../generated';
import type { GroupInListFragment } from '../../generated/graphql';
import { countText } from '../../parts/sizes';
import { useToasts } from '../../parts/toasts';
import { useAction } from '../../parts/use-action';

const Fingerprints = graphql(`
  query FingerprintsOfGroups($ids: [ID!]!) { nodes(ids: $ids) { id ... on CrashGroup { fingerprints } } }
`);
const MergeGroups = graphql(`
  mutation MergeSelectedGroups($intoId: ID!, $ids: [ID!]!) {
    mergeCrashGroups(input: { intoId: $intoId, ids: $ids }) { crashGroup { id } }
  }
`);
const SplitGroup = graphql(`
  mutation SplitGroupAgain($id: ID!, $fingerprints: [String!]!) {
    splitCrashGroup(input: { id: $id, fingerprints: $fingerprints }) { clientMutationId }
  }
`);

const UNDO_MS = 10_000;

/** Merges groups into the one with the most crashes. The undo splits what each group had. @returns whether it was done */
export function useMergeGroups(client: Client): (groups: readonly GroupInListFragment[]) => Promise<boolean> {
  const { run: merge } = useAction(MergeGroups);
  const { run: split } = useAction(SplitGroup);
  const { show } = useToasts();

  return async (groups) => {
    const [into, ...others] = [...groups].sort((a, b) => b.count - a.count);
    if (into === undefined) return false;
    const ids = others.map(({ id }) => id);
    const { data } = await client.query(Fingerprints, { ids }, { requestPolicy: 'network-only' }).toPromise();
    const parts =
      data?.nodes?.map((node) => (node != null && 'fingerprints' in node ? node.fingerprints : [])) ?? [];
    if ((await merge({ intoId: into.id, ids })) === undefined) return false;
    show({
      text: `${countText(groups.length, 'group')} are one`,
      lastsMs: UNDO_MS,
      action: { name: 'Undo', run: () => void undo(into.id, parts) },
    });
    return true;
  };

  async function undo(id: string, parts: ReadonlyArray<readonly string[]>): Promise<void> {
    for (const fingerprints of parts) {
      if (fingerprints.length > 0) await split({ id, fingerprints: [...fingerprints] });
    }
  }
}
