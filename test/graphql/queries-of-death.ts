/** Queries that are meant to hurt: each with its variables, and the limit that refuses it. */
export const QUERIES_OF_DEATH: ReadonlyArray<
  readonly [what: string, limit: string, query: string, variables?: object]
> = [
  ['a long document', 'characters', `{ #${'x'.repeat(70_000)}\n__typename }`],
  // Each error of validation would look for its line among all of them.
  ['a document of many lines', 'lines', `{${'\n'.repeat(5_000)}${times(300, (index) => `f${index}`)} }`],
  ['a document of many tokens', 'tokens', `{ ${'__typename '.repeat(3_000)} }`],
  ['a deep query', 'depth', nested('devices(first: 1) { nodes { model { ', '} } } ', 6)],
  ['a deep query in fragments', 'depth', deepFragments(12)],
  ['a circular fragment', 'depth', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }'],
  [
    'a fragment that contains itself deeper down',
    'depth',
    '{ devices { nodes { ...D } } } fragment D on Device { coredumps { nodes { device { ...D } } } }',
  ],
  [
    'introspection within introspection',
    'depth',
    `{ __schema { types { ${'ofType { '.repeat(14)}name${' }'.repeat(14)} } } }`,
  ],
  ['many aliases', 'aliases', `{ ${times(100, (index) => `a${index}: __typename`)} }`],
  [
    'many aliases of a count',
    'aliases',
    `{ ${times(50, (index) => `a${index}: coredumps { totalCount }`)} }`,
  ],
  [
    'aliases in a fragment that is spread often',
    'aliases',
    `{ ${times(20, (index) => `a${index}: devices { nodes { ...F } }`)} } fragment F on Device { x: key y: name }`,
  ],
  ['many directives', 'directives', `{ __typename ${'@include(if: true) '.repeat(100)} }`],
  ['directives on many fields', 'directives', `{ ${times(60, () => '__typename @include(if: true)')} }`],
  ['fragments that double', 'fields', doublingFragments(30)],
  ['fragments that double around a field', 'fields', doublingFragments(25, 'devices { totalCount }')],
  ['a huge page', 'pageSize', '{ coredumps(first: 1000000000) { nodes { id } } }'],
  [
    'a huge page by variable',
    'pageSize',
    'query ($n: Int) { coredumps(first: $n) { nodes { id } } }',
    { n: 1e9 },
  ],
  ['a huge page by default', 'pageSize', 'query ($n: Int = 1000) { coredumps(last: $n) { nodes { id } } }'],
  [
    'pages within pages',
    'cost',
    '{ devices(first: 200) { nodes { coredumps(first: 200) { nodes { id filename } } } } }',
  ],
  [
    'pages of edges within pages',
    'cost',
    '{ devices(first: 200) { edges { node { coredumps(first: 200) { edges { node { id filename } } } } } } }',
  ],
  [
    'whole reports of a long page',
    'cost',
    `{ coredumps(first: 200) { nodes { report { tasks { name frames { pc function file line arguments { name value } } } } } } }`,
  ],
  [
    'many searches at once',
    'cost',
    `{ ${times(30, (index) => `a${index}: coredumps(filter: { search: "x${index}" }) { totalCount }`)} }`,
  ],
  [
    'a search for each device',
    'cost',
    'query ($f: CoredumpFilter) { devices(first: 100) { nodes { coredumps(filter: $f) { totalCount } } } }',
    { f: { search: 'x' } },
  ],
  ['a long list', 'listLength', `{ coredumps(filter: { chip: [${'"a" '.repeat(300)}] }) { totalCount } }`],
  [
    'a long list in a variable',
    'listLength',
    'query ($f: CoredumpFilter) { coredumps(filter: $f) { totalCount } }',
    { f: { deviceKey: Array.from({ length: 4_000 }, (_, index) => `d${index}`) } },
  ],
  [
    'an object of many unknown keys in a variable',
    'objectKeys',
    'query ($f: CoredumpFilter) { coredumps(filter: $f) { totalCount } }',
    { f: Object.fromEntries(Array.from({ length: 4_000 }, (_, index) => [`key${index}`, 1])) },
  ],
];

/** As strings, because JSON.stringify itself fails on them. */
export const DEEP_VARIABLES = `{"query":"query ($f: CoredumpFilter) { coredumps(filter: $f) { totalCount } }","variables":{"f":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;

function nested(open: string, close: string, levels: number): string {
  return `{ ${open.repeat(levels)} code ${close.repeat(levels)} }`;
}

function deepFragments(count: number): string {
  const fragments = Array.from({ length: count }, (_, index) => {
    const inner = index === count - 1 ? 'key' : `model { devices(first: 1) { nodes { ...F${index + 1} } } }`;
    return `fragment F${index} on Device { ${inner} }`;
  });
  return `{ devices(first: 1) { nodes { ...F0 } } } ${fragments.join(' ')}`;
}

/** Each fragment spreads the next one twice: 2ⁿ fields from a few hundred characters. */
function doublingFragments(count: number, leaf = '__typename'): string {
  const fragments = Array.from({ length: count }, (_, index) => {
    const inner = index === count - 1 ? leaf : `...F${index + 1} ...F${index + 1}`;
    return `fragment F${index} on Query { ${inner} }`;
  });
  return `{ ...F0 } ${fragments.join(' ')}`;
}

function times(count: number, part: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => part(index)).join(' ');
}
