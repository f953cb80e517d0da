/** The one place that knows who is using the page: what it says goes with every request and every socket. */
const token: string | null = null;

/** Value of the `Authorization` header, null while nobody has signed in (or needs to). */
export function authorization(): string | null {
  return token === null ? null : `Bearer ${token}`;
}
