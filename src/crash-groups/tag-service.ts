import type { Audit, AuditNote } from '../audit/service.js';
import { badInput, conflict, notFound } from '../errors.js';
import { encodeGlobalId } from '../global-ids.js';
import type { Clock } from '../platform/clock.js';
import { isUniqueViolation } from '../platform/database/errors.js';
import type { DbTransaction } from '../platform/database/types.js';
import { noteActivities } from './activity.js';
import type { GroupEvents } from './events.js';
import { onGroup } from './history.js';
import { takersOf } from './merged-groups.js';
import type { TagConditions, TagRuleRow } from './tag-rules.js';
import { MAX_TAG_NAME, MAX_TAG_RULES, MAX_TAGS, type TagColor, type TagRow } from './tags.js';
import { type CrashGroupRow, toGroupRow } from './types.js';

/** Groups, or tags, of one change. */
const MAX_AT_ONCE = 100;

export type TagService = ReturnType<typeof createTagService>;

/** Tags of crash groups, and rules that give them. */
export function createTagService({ clock, audit, events, runs }: TagServiceDeps) {
  return {
    /** @throws DomainError BAD_USER_INPUT; CONFLICT when there is a tag of this name, in upper or lower case */
    create({ name, color }: { name: string; color: TagColor }): Promise<TagRow> {
      const wanted = checkedName(name);
      return audit.change(async (tx, note) => {
        const known = await tx.tag.findMany({ select: { id: true, name: true } });
        if (known.length >= MAX_TAGS)
          throw badInput(`There are ${MAX_TAGS} tags already. Delete one that nobody uses.`, {
            field: 'name',
          });
        requireFree(known, wanted);
        const tag = await tx.tag.create({ data: { name: wanted, color } }).catch(whenTaken(wanted));
        await note(onTag('createTag', tag));
        return tag;
      });
    },

    /** Absent fields stay unchanged. @throws DomainError NOT_FOUND, BAD_USER_INPUT, CONFLICT */
    update(id: number, { name, color }: { name?: string; color?: TagColor }): Promise<TagRow> {
      const wanted = name === undefined ? {} : { name: checkedName(name) };
      return audit.change(async (tx, note) => {
        const before = await tagOf(tx, id, 'id');
        const known = await tx.tag.findMany({ where: { id: { not: id } }, select: { id: true, name: true } });
        if (wanted.name !== undefined) requireFree(known, wanted.name);
        const tag = await tx.tag
          .update({ where: { id }, data: { ...wanted, ...(color === undefined ? {} : { color }) } })
          .catch(whenTaken(wanted.name ?? before.name));
        await touchGroups(tx, id);
        const detail = before.name === tag.name ? undefined : `was ${before.name}`;
        await note(onTag('updateTag', tag, detail));
        return tag;
      });
    },

    /** Removes it from all groups, with its rules. @throws DomainError NOT_FOUND */
    async delete(id: number): Promise<void> {
      await audit.removal(async (tx, note) => {
        const tag = await tagOf(tx, id, 'id');
        const count = await touchGroups(tx, id);
        await tx.tag.deleteMany({ where: { id } });
        await note(onTag('deleteTag', tag, count === 1 ? 'from 1 group' : `from ${count} groups`));
      });
    },

    /**
     * Adds tags to groups and removes others, in all groups or none; ids of merged groups stand for the group that took
     * them in. A tag that was removed by a person is not given again by a rule.
     * @returns the groups by their first id in `groupIds`, each once
     * @throws DomainError NOT_FOUND, BAD_USER_INPUT
     */
    async setOnGroups({ groupIds, add, remove }: TagChange): Promise<CrashGroupRow[]> {
      checkChange({ groupIds, add, remove });
      const groups = await audit.change(async (tx, note) => {
        const tags = await tx.tag.findMany({
          where: { id: { in: [...add, ...remove] } },
          orderBy: { name: 'asc' },
        });
        for (const [field, ids] of [
          ['add', add],
          ['remove', remove],
        ] as const) {
          const missing = ids.find((id) => !tags.some((tag) => tag.id === id));
          if (missing !== undefined) throw notFound('tag', encodeGlobalId('Tag', missing), { field });
        }
        const changed = await touched(tx, groupIds);
        for (const { id } of changed) {
          for (const tagId of add) await setTag(tx, id, tagId, false);
          for (const tagId of remove) await setTag(tx, id, tagId, true);
        }
        const detail = wordsOf(tags, add, remove);
        await note(...changed.map((group) => onGroup('setGroupTags', group, detail)));
        const named = (ids: readonly number[]) => namesOf(tags, ids);
        await noteActivities(
          tx,
          changed.flatMap(({ id: groupId }) => [
            ...(add.length === 0
              ? []
              : [{ groupId, kind: 'TAGGED' as const, text: named(add), at: clock.now() }]),
            ...(remove.length === 0
              ? []
              : [{ groupId, kind: 'UNTAGGED' as const, text: named(remove), at: clock.now() }]),
          ]),
        );
        await events.announce(
          tx,
          changed.map(({ id }) => id),
        );
        return changed;
      });
      for (const { id } of groups) events.publish({ groupId: id, kind: 'changed' });
      return groups;
    },

    /** @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    async createRule(tagId: number, conditions: TagConditions): Promise<TagRuleRow> {
      const wanted = checkedConditions(conditions);
      const rule = await audit.change(async (tx, note) => {
        const tag = await tagOf(tx, tagId, 'tagId');
        if ((await tx.tagRule.count()) >= MAX_TAG_RULES)
          throw badInput(`There are ${MAX_TAG_RULES} tag rules already. Delete one that nobody needs.`);
        const made = await tx.tagRule.create({ data: { tagId, ...wanted } });
        await runs.begin(tx, made.id);
        await note(onTag('createTagRule', tag, ruleWords(wanted)));
        return made;
      });
      runs.wake();
      return rule;
    },

    /** Groups that have the tag keep it. @throws DomainError NOT_FOUND, BAD_USER_INPUT */
    async updateRule(id: number, conditions: TagConditions): Promise<TagRuleRow> {
      const wanted = checkedConditions(conditions);
      const rule = await audit.change(async (tx, note) => {
        const [changed] = await tx.tagRule.updateManyAndReturn({ where: { id }, data: wanted });
        if (changed === undefined) throw notFound('tag rule', id, { field: 'id' });
        await runs.begin(tx, id);
        await note(onTag('updateTagRule', await tagOf(tx, changed.tagId, 'id'), ruleWords(wanted)));
        return changed;
      });
      runs.wake();
      return rule;
    },

    /** Groups that have the tag keep it. @throws DomainError NOT_FOUND */
    async deleteRule(id: number): Promise<void> {
      await audit.removal(async (tx, note) => {
        const rule = await tx.tagRule.findUnique({ where: { id } });
        if (rule === null) throw notFound('tag rule', id, { field: 'id' });
        await tx.tagRule.deleteMany({ where: { id } });
        await note(onTag('deleteTagRule', await tagOf(tx, rule.tagId, 'id'), ruleWords(rule)));
      });
    },
  };

  /** Tells the subscribers of all groups that have the tag. @returns how many have it */
  async function touchGroups(tx: DbTransaction, tagId: number): Promise<number> {
    const { count } = await tx.crashGroup.updateMany({
      where: { tags: { some: { tagId, isRemoved: false } } },
      data: { activityAt: clock.now() },
    });
    return count;
  }

  async function touched(tx: DbTransaction, ids: readonly number[]): Promise<CrashGroupRow[]> {
    const takers = await takersOf(tx, ids);
    const currentOf = (id: number) => takers.get(id) ?? id;
    const wanted = [...new Set(ids.map(currentOf))];
    const now = clock.now();
    const rows = await tx.crashGroup.updateManyAndReturn({
      where: { id: { in: wanted } },
      data: { activityAt: now, updatedAt: now },
    });
    const byId = new Map(rows.map((row) => [row.id, toGroupRow(row)]));
    const unknown = ids.find((id) => !byId.has(currentOf(id)));
    if (unknown !== undefined)
      throw notFound('crash group', encodeGlobalId('CrashGroup', unknown), { field: 'groupIds' });
    return wanted.flatMap((id) => byId.get(id) ?? []);
  }
}

export interface TagChange {
  groupIds: readonly number[];
  add: readonly number[];
  remove: readonly number[];
}

/** A person's word: it counts more than a rule's, and stays when a merge is undone. */
async function setTag(tx: DbTransaction, groupId: number, tagId: number, isRemoved: boolean): Promise<void> {
  const byPerson = { byRule: false, isRemoved, fromGroupId: null };
  await tx.groupTag.upsert({
    where: { groupId_tagId: { groupId, tagId } },
    create: { groupId, tagId, ...byPerson },
    update: byPerson,
  });
}

async function tagOf(tx: DbTransaction, id: number, field: string): Promise<TagRow> {
  const tag = await tx.tag.findUnique({ where: { id } });
  if (tag === null) throw notFound('tag', id, { field });
  return tag;
}

function checkedName(name: string): string {
  const text = name.trim();
  if (text === '' || text.length > MAX_TAG_NAME || /\p{Cc}/u.test(text))
    throw badInput(`A tag’s name is 1 to ${MAX_TAG_NAME} characters on one line.`, { field: 'name' });
  return text;
}

function requireFree(known: readonly Pick<TagRow, 'name'>[], name: string): void {
  const taken = known.find((tag) => tag.name.toLowerCase() === name.toLowerCase());
  if (taken !== undefined) throw conflict(`There is already a tag “${taken.name}”.`, { field: 'name' });
}

/** Another server was quicker. */
function whenTaken(name: string) {
  return (error: unknown): never => {
    throw isUniqueViolation(error) ? conflict(`There is already a tag “${name}”.`, { field: 'name' }) : error;
  };
}

function checkChange({ groupIds, add, remove }: TagChange): void {
  if (groupIds.length === 0) throw badInput('Name at least one group.', { field: 'groupIds' });
  for (const [field, ids] of Object.entries({ groupIds, add, remove })) {
    if (ids.length > MAX_AT_ONCE) throw badInput(`${field} has at most ${MAX_AT_ONCE} ids.`, { field });
  }
  if (add.length + remove.length === 0) throw badInput('Nothing would change: name a tag to add or remove.');
  if (add.some((id) => remove.includes(id)))
    throw badInput('The same tag cannot be added and removed.', { field: 'remove' });
}

const MAX_PATTERN = 200;

/** The conditions without blanks around their patterns; empty ones are not set. @throws DomainError BAD_USER_INPUT */
export function checkedConditions(rule: TagConditions): TagConditions {
  const patterns = {
    function: rule.function,
    file: rule.file,
    task: rule.task,
    reason: rule.reason,
    version: rule.version,
  };
  for (const [field, text] of Object.entries(patterns)) {
    if (text !== null && text.length > MAX_PATTERN)
      throw badInput(`A pattern is at most ${MAX_PATTERN} characters.`, { field });
  }
  const set = (text: string | null) => (text === null || text.trim() === '' ? null : text.trim());
  const checked = {
    ...{ modelId: rule.modelId, kind: rule.kind, function: set(rule.function), file: set(rule.file) },
    ...{ task: set(rule.task), reason: set(rule.reason), version: set(rule.version) },
  };
  if (Object.values(checked).every((condition) => condition === null))
    throw badInput('A rule needs at least one condition: without one it would give its tag to every group.');
  return checked;
}

function ruleWords({ modelId, ...conditions }: TagConditions): string {
  const { kind, function: name, file, task, reason, version } = conditions;
  const words = Object.entries({ kind, function: name, file, task, reason, version })
    .filter(([, text]) => text !== null)
    .map(([what, text]) => `${what} ${text}`);
  return [...(modelId === null ? [] : [`model ${modelId}`]), ...words].join(', ');
}

function wordsOf(tags: readonly TagRow[], add: readonly number[], remove: readonly number[]): string {
  return [
    ...(add.length === 0 ? [] : [`added ${namesOf(tags, add)}`]),
    ...(remove.length === 0 ? [] : [`removed ${namesOf(tags, remove)}`]),
  ].join('; ');
}

function namesOf(tags: readonly TagRow[], ids: readonly number[]): string {
  return tags
    .filter(({ id }) => ids.includes(id))
    .map(({ name }) => name)
    .join(', ');
}

function onTag(action: string, { id, name }: Pick<TagRow, 'id' | 'name'>, detail?: string): AuditNote {
  const about = { action, targetType: 'Tag' as const, targetId: id, target: name };
  return detail === undefined ? about : { ...about, detail };
}

interface TagServiceDeps {
  clock: Pick<Clock, 'now'>;
  audit: Pick<Audit, 'change' | 'removal'>;
  events: Pick<GroupEvents, 'publish' | 'announce'>;
  runs: {
    /** Begins to apply a rule to the groups that there are. */
    begin(tx: DbTransaction, ruleId: number): Promise<void>;
    /** Called after the commit. */
    wake(): void;
  };
}
