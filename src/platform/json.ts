/** What the text says as JSON; undefined where it is not JSON, which no schema accepts. The reader checks the shape. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
