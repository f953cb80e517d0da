/**
 * GDB's spelling of types in the names of templates: `Box<unsigned long, char const*>` where the compiler wrote
 * `Box<long unsigned int, const char*>`. Names that GDB's parser does not understand stay unchanged
 * (gdb/cp-name-parser.y, gdb/cp-support.c: cp_canonicalize_string).
 */
const NOT_UNDERSTOOD = /<lambda|<unnamed|\{|decltype|<>/;

const INTEGERS: ReadonlyMap<string, string> = new Map([
  ['long long unsigned int', 'unsigned long long'],
  ['long long int', 'long long'],
  ['long unsigned int', 'unsigned long'],
  ['long int', 'long'],
  ['short unsigned int', 'unsigned short'],
  ['short int', 'short'],
]);
const INTEGER = new RegExp(`\\b(?:${[...INTEGERS.keys()].join('|')})\\b`, 'g');
/** A literal character as an argument of a template. */
const CHARACTER = /(?<=[<,] ?)'(?:\\.[^']*|[^'\\])'/g;
const LEADING_QUALIFIER = /(?<=[<,(] ?)(?:const|volatile) /g;

export function canonicalName(name: string): string {
  if (!name.includes('<') || NOT_UNDERSTOOD.test(name)) return name;
  const spelled = name
    .replace(INTEGER, (integer) => INTEGERS.get(integer) ?? integer)
    .replace(CHARACTER, (literal) => `(char)${literal}`);
  return withTrailingQualifiers(spelled);
}

/** `const Foo*` becomes `Foo const*`: the qualifier moves behind its type. */
function withTrailingQualifiers(name: string): string {
  let result = '';
  let from = 0;
  for (const { 0: qualifier, index } of name.matchAll(LEADING_QUALIFIER)) {
    if (index < from) continue;
    const typeStart = index + qualifier.length;
    const typeEnd = endOfType(name, typeStart);
    const type = withTrailingQualifiers(name.slice(typeStart, typeEnd));
    result += `${name.slice(from, index)}${type} ${qualifier.trimEnd()}`;
    from = typeEnd;
  }
  return result + name.slice(from);
}

/** Up to the part after a type's name: `*`, `&`, a list of parameters, or the end of the argument. */
function endOfType(name: string, start: number): number {
  let depth = 0;
  for (let index = start; index < name.length; index++) {
    const character = name.charAt(index);
    if (depth === 0 && (/[*&,>)[]/.test(character) || name.startsWith(' (', index))) return index;
    if (character === '<') depth++;
    else if (character === '>') depth--;
  }
  return name.length;
}
