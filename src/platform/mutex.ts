/** Runs work of the same name one after the other, in the order of the calls; in this process only. */
export function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (last.get(name) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => {})
      .finally(() => {
        if (last.get(name) === settled) last.delete(name);
      });
    last.set(name, settled);
    return turn;
  };
}
