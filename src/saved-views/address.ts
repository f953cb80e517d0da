import { badInput } from '../errors.js';

/** The pages that can be saved with their filters. */
const LISTS = ['groups', 'dumps', 'devices'];
const ADDRESS = new RegExp(`^/(?:${LISTS.join('|')})(?:\\?[^#\\s\\p{Cc}\\\\]*)?$`, 'u');
const LONGEST = 2_000;

/**
 * Whoever opens a view follows its address, so it may lead to a list of the page and nowhere else.
 *
 * @throws DomainError BAD_USER_INPUT
 */
export function requireListAddress(address: string): void {
  if (address.length > LONGEST)
    throw badInput(`An address has at most ${LONGEST} characters.`, { field: 'address' });
  if (!ADDRESS.test(address)) {
    throw badInput(
      'The address must be that of a list on the page, without the server: "/groups?state=open". Lists are ' +
        `${LISTS.map((list) => `"/${list}"`).join(', ')}.`,
      { field: 'address' },
    );
  }
}
