import { Malformed } from '../bytes.js';

/** Reading the file needs more work than its size justifies. */
class BudgetExhausted extends Malformed {}

/**
 * Limits the work of reading a file's debug information over the life of its image. Everything that is read is kept, so
 * well-formed files are read about once. A file whose tables refer to each other endlessly exhausts the budget.
 */
export class WorkBudget {
  #left: number;

  /** @param units about one for every byte, record or row that is examined */
  constructor(units: number) {
    this.#left = units;
  }

  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0)
      throw new BudgetExhausted('the debug information asks for more work than its size allows');
  }
}
