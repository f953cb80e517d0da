import { Malformed } from '../bytes.js';

/** The file asks for more work than its size could need. */
class BudgetExhausted extends Malformed {}

/**
 * The work that reading a file's debug information may cost over the life of its image. Everything that is read is
 * kept, so well-formed files are read about once; one whose tables lead into each other again and again runs out here.
 */
export class WorkBudget {
  #left: number;

  /** @param units about one for every byte, record or row that is looked at */
  constructor(units: number) {
    this.#left = units;
  }

  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0)
      throw new BudgetExhausted('the debug information asks for more work than its size allows');
  }
}
