/**
 * One address of one mailbox: letters, digits and the marks that need no quotes before the "@", a host name with a dot,
 * or `localhost`, after it. A name of another script is written in its ASCII form (`xn--…`).
 */
export function isMailAddress(text: string): boolean {
  if (text.length > 254) return false;
  return /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@(?:localhost|(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)$/i.test(
    text,
  );
}
