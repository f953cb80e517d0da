import type { Person } from '../auth/principal.js';
import type { GroupActivityRow } from './activity.js';

/** A person is known by name and by the way in which it was authenticated. */
export function isByPerson(
  { actor, via }: Pick<GroupActivityRow, 'actor' | 'via'>,
  person: Pick<Person, 'name' | 'via'>,
): boolean {
  return actor === person.name && via === person.via;
}
