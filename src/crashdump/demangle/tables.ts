/** Codes of the Itanium C++ ABI, §5.1.3 to §5.1.6, and their texts in GNU tools. */
import { type Node, text } from './nodes.js';

export const BUILTIN_TYPES: ReadonlyMap<string, string> = new Map([
  ['v', 'void'],
  ['w', 'wchar_t'],
  ['b', 'bool'],
  ['c', 'char'],
  ['a', 'signed char'],
  ['h', 'unsigned char'],
  ['s', 'short'],
  ['t', 'unsigned short'],
  ['i', 'int'],
  ['j', 'unsigned int'],
  ['l', 'long'],
  ['m', 'unsigned long'],
  ['x', 'long long'],
  ['y', 'unsigned long long'],
  ['n', '__int128'],
  ['o', 'unsigned __int128'],
  ['f', 'float'],
  ['d', 'double'],
  ['e', 'long double'],
  ['g', '__float128'],
  ['z', '...'],
  ['Di', 'char32_t'],
  ['Ds', 'char16_t'],
  ['Du', 'char8_t'],
  ['Da', 'auto'],
  ['Dc', 'decltype(auto)'],
  ['Dn', 'decltype(nullptr)'],
  ['Dh', 'half'],
  ['Dd', 'decimal64'],
  ['De', 'decimal128'],
  ['Df', 'decimal32'],
]);

export interface Operator {
  /** As in an expression: words that precede their operand end in a space. */
  sign: string;
  operands: 0 | 1 | 2 | 3;
}

const operators = (operands: Operator['operands'], signs: string): [string, Operator][] =>
  signs.split(' ').map((entry) => {
    const code = entry.slice(0, 2);
    return [code, { sign: entry.slice(3).replace(/_$/, ' '), operands }];
  });

export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ...operators(0, 'tr:throw'),
  ...operators(1, 'ps:+ ng:- ad:& de:* co:~ nt:! pp:++ mm:-- gs:::'),
  ...operators(
    1,
    'aw:co_await_ sz:sizeof_ az:alignof_ nx:noexcept dl:delete_ da:delete[]_ tw:throw_ te:typeid_',
  ),
  ...operators(
    2,
    'pl:+ mi:- ml:* dv:/ rm:% an:& or:| eo:^ aS:= pL:+= mI:-= mL:*= dV:/= rM:%= aN:&= oR:|= eO:^=',
  ),
  ...operators(
    2,
    'ls:<< rs:>> lS:<<= rS:>>= eq:== ne:!= lt:< gt:> le:<= ge:>= ss:<=> aa:&& oo:|| cm:, pm:->*',
  ),
  ...operators(2, 'ds:.* pt:-> dt:. cl:() ix:[]'),
  ...operators(3, 'qu:? nw:new na:new[]'),
]);

/** Expressions on a type: `sizeof (int)`. */
export const TYPE_OPERATORS: ReadonlyMap<string, string> = new Map([
  ['st', 'sizeof '],
  ['at', 'alignof '],
  ['ti', 'typeid '],
]);

/** `static_cast<int>(x)`. */
export const CASTS: ReadonlyMap<string, string> = new Map([
  ['sc', 'static_cast'],
  ['dc', 'dynamic_cast'],
  ['cc', 'const_cast'],
  ['rc', 'reinterpret_cast'],
]);

export const SPECIAL_NAMES: readonly (readonly [string, string])[] = [
  ['TV', 'vtable for '],
  ['TT', 'VTT for '],
  ['TI', 'typeinfo for '],
  ['TS', 'typeinfo name for '],
  ['Th', 'non-virtual thunk to '],
  ['Tv', 'virtual thunk to '],
  ['Tc', 'covariant return thunk to '],
  ['TC', 'construction vtable for '],
  ['TH', 'TLS init function for '],
  ['TW', 'TLS wrapper function for '],
  ['GV', 'guard variable for '],
  ['GR', 'reference temporary for '],
  ['GI', 'initializer for module '],
  ['GTt', 'transaction clone for '],
  ['GTn', 'non-transaction clone for '],
  ['GA', 'hidden alias for '],
  ['TA', 'template parameter object for '],
];

/** §5.1.8, with their short names. */
export const STANDARD_NAMES: ReadonlyMap<string, string> = new Map([
  ['t', 'std'],
  ['a', 'std::allocator'],
  ['b', 'std::basic_string'],
  ['s', 'std::string'],
  ['i', 'std::istream'],
  ['o', 'std::ostream'],
  ['d', 'std::iostream'],
]);

const full = (template: string, rest: string): Node => ({
  kind: 'qualified',
  scope: text('std'),
  name: { kind: 'template', name: text(template), arguments: rest.split('|').map(text) },
});

/** The full types of the short names, used before a constructor or destructor. */
export const STRING_IN_FULL: ReadonlyMap<string, Node> = new Map([
  ['s', full('basic_string', 'char|std::char_traits<char>|std::allocator<char>')],
  ['i', full('basic_istream', 'char|std::char_traits<char>')],
  ['o', full('basic_ostream', 'char|std::char_traits<char>')],
  ['d', full('basic_iostream', 'char|std::char_traits<char>')],
]);
