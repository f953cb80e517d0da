import { MAX_PARENTS } from './children.js';
import DataLoader from './data-loader.js';

/** A question about one parent: what its children are, with a filter and a window for instance. */
type Question<Details extends object> = Details & { parentId: number };

/**
 * A loader that answers the same question about many parents in one statement.
 *
 * @param ask answers for the parents; those with nothing to tell may be missing
 * @param none the answer for these
 */
export function loaderByParent<Details extends object, Answer>(
  ask: (parentIds: number[], details: Details) => Promise<ReadonlyMap<number, Answer>>,
  none: Answer,
) {
  return new DataLoader<Question<Details>, Answer, string>(
    async (questions) => {
      const groups = new Map<string, [Question<Details>, ...Question<Details>[]]>();
      for (const question of questions) {
        const group = groups.get(detailsKey(question));
        if (group === undefined) groups.set(detailsKey(question), [question]);
        else group.push(question);
      }
      const answers = new Map<string, ReadonlyMap<number, Answer>>();
      for (const [key, group] of groups) {
        const parentIds = [...new Set(group.map(({ parentId }) => parentId))];
        answers.set(key, await ask(parentIds, group[0]));
      }
      return questions.map((question) => answers.get(detailsKey(question))?.get(question.parentId) ?? none);
    },
    { cacheKeyFn: (question) => JSON.stringify(question), maxBatchSize: MAX_PARENTS },
  );
}

function detailsKey(question: { parentId: number }): string {
  return JSON.stringify({ ...question, parentId: undefined });
}
