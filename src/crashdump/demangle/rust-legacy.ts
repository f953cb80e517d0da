/**
 * Names that rustc makes like C++ ones, `_ZN4core9panicking5panic17h0123456789abcdefE`: a path whose last part is a hash,
 * which is not shown. `$LT$` and `..` stand for characters that linkers did not accept.
 */
const PATH = /^_ZN(\d[\w$.]*)17h[0-9a-f]{16}E(?:\.[\w.]+)?$/;

const CHARACTERS: ReadonlyMap<string, string> = new Map([
  ['SP', '@'],
  ['BP', '*'],
  ['RF', '&'],
  ['LT', '<'],
  ['GT', '>'],
  ['LP', '('],
  ['RP', ')'],
  ['C', ','],
]);

/** `<fw::net::Conn as core::ops::drop::Drop>::drop`; null for other names. */
export function demangleLegacyRust(symbol: string): string | null {
  const path = PATH.exec(symbol)?.[1];
  if (path === undefined) return null;
  const names: string[] = [];
  for (let at = 0; at < path.length; ) {
    const digits = /^\d{1,5}/.exec(path.slice(at, at + 5))?.[0] ?? '';
    const start = at + digits.length;
    at = start + Number(digits);
    if (digits === '' || at === start || at > path.length) return null;
    names.push(decoded(path.slice(start, at)));
  }
  return names.join('::');
}

function decoded(name: string): string {
  return name
    .replace(/^_(?=\$)/, '')
    .replaceAll('..', '::')
    .replace(/\$([A-Z]{1,2}|u[0-9a-f]{1,6})\$/g, (escaped, code: string) => {
      const character = CHARACTERS.get(code);
      if (character !== undefined) return character;
      const point = code.startsWith('u') ? Number.parseInt(code.slice(1), 16) : 0;
      return point >= 0x20 && point <= 0x10ffff ? String.fromCodePoint(point) : escaped;
    });
}
