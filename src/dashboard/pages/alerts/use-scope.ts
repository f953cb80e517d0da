import { useQuery } from 'urql';
import { useSearchParams } from 'wouter';
import { graphql } from '../../generated';
import type { AlertRuleInListFragment } from '../../generated/graphql';

const GroupOfAlerts = graphql(`
  query GroupOfAlerts($id: ID!) { crashGroup(id: $id) { id title } }
`);

/** The scope in the address: the alerts of one model or group, or all (null). */
export interface Scope {
  modelCode: string | null;
  group: { id: string; title: string } | null;
}

export function useScope(): Scope | null {
  const [parameters] = useSearchParams();
  const modelCode = parameters.get('model');
  const groupId = parameters.get('group');
  const [{ data }] = useQuery({
    query: GroupOfAlerts,
    variables: { id: groupId ?? '' },
    pause: groupId === null,
  });
  if (groupId !== null) {
    const title = data?.crashGroup?.title ?? 'one crash group';
    return { modelCode: null, group: { id: groupId, title } };
  }
  return modelCode === null ? null : { modelCode, group: null };
}

/** Whether the rule reports crashes of this scope, perhaps among others. */
export function isInScope(
  { model, crashGroup }: AlertRuleInListFragment,
  { modelCode, group }: Scope,
): boolean {
  if (group !== null) return crashGroup == null ? model == null : crashGroup.id === group.id;
  return crashGroup == null && (model == null || model.code === modelCode);
}
