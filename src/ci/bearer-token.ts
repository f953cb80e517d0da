/**
 * A token as somebody has put it into a secret of CI, which often ends with the line break of the file or command that
 * it comes from.
 *
 * @param from the option or variable, for the message
 * @returns undefined when there is none
 * @throws Error when it cannot be one: it would not fit into a header
 */
export function bearerToken(text: string | undefined, from: string): string | undefined {
  const token = text?.trim();
  if (token === undefined || token === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Error(
    `${from} is not a token: it has a space, a line break or another character that tokens do not have`,
  );
}

/** Of the option `--token`, else of the variable COREDOCK_TOKEN. @throws Error as `bearerToken` */
export function givenToken(
  option: string | undefined,
  { COREDOCK_TOKEN }: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return bearerToken(option, '--token') ?? bearerToken(COREDOCK_TOKEN, 'COREDOCK_TOKEN');
}
