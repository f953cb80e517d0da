import { badInput } from '../errors.js';

const LONGEST = 100;

/** @throws DomainError BAD_USER_INPUT */
export function requireViewName(name: string): void {
  if (name.trim() === '' || name !== name.trim() || name.length > LONGEST || /[\t\r\n]/.test(name)) {
    throw badInput(`A view’s name is 1 to ${LONGEST} characters on one line, without spaces at its ends.`, {
      field: 'name',
    });
  }
}
