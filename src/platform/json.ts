/** Parses JSON; undefined for invalid JSON, which no schema accepts. The caller checks the shape. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
