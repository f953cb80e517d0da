/**
 * Keeps the answers of a function whose answers never change. When there are too many all are forgotten, so that a
 * series of hostile dumps cannot fill the memory.
 */
export function remember<K, V extends object | string | number | boolean | null>(
  most: number,
  find: (key: K) => V,
): (key: K) => V {
  const answers = new Map<K, V>();
  return (key) => {
    let answer = answers.get(key);
    if (answer === undefined) {
      answer = find(key);
      if (answers.size >= most) answers.clear();
      answers.set(key, answer);
    }
    return answer;
  };
}
