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
]);

export interface Operator {
  sign: string;
  operands: 1 | 2 | 3;
}

const operator = (sign: string, operands: 1 | 2 | 3): Operator => ({ sign, operands });

export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['nw', operator('new', 3)],
  ['na', operator('new[]', 3)],
  ['dl', operator('delete', 1)],
  ['da', operator('delete[]', 1)],
  ['aw', operator('co_await', 1)],
  ['ps', operator('+', 1)],
  ['ng', operator('-', 1)],
  ['ad', operator('&', 1)],
  ['de', operator('*', 1)],
  ['co', operator('~', 1)],
  ['pl', operator('+', 2)],
  ['mi', operator('-', 2)],
  ['ml', operator('*', 2)],
  ['dv', operator('/', 2)],
  ['rm', operator('%', 2)],
  ['an', operator('&', 2)],
  ['or', operator('|', 2)],
  ['eo', operator('^', 2)],
  ['aS', operator('=', 2)],
  ['pL', operator('+=', 2)],
  ['mI', operator('-=', 2)],
  ['mL', operator('*=', 2)],
  ['dV', operator('/=', 2)],
  ['rM', operator('%=', 2)],
  ['aN', operator('&=', 2)],
  ['oR', operator('|=', 2)],
  ['eO', operator('^=', 2)],
  ['ls', operator('<<', 2)],
  ['rs', operator('>>', 2)],
  ['lS', operator('<<=', 2)],
  ['rS', operator('>>=', 2)],
  ['eq', operator('==', 2)],
  ['ne', operator('!=', 2)],
  ['lt', operator('<', 2)],
  ['gt', operator('>', 2)],
  ['le', operator('<=', 2)],
  ['ge', operator('>=', 2)],
  ['ss', operator('<=>', 2)],
  ['nt', operator('!', 1)],
  ['aa', operator('&&', 2)],
  ['oo', operator('||', 2)],
  ['pp', operator('++', 1)],
  ['mm', operator('--', 1)],
  ['cm', operator(',', 2)],
  ['pm', operator('->*', 2)],
  ['pt', operator('->', 2)],
  ['cl', operator('()', 2)],
  ['ix', operator('[]', 2)],
  ['qu', operator('?', 3)],
  ['sz', operator('sizeof', 1)],
  ['nx', operator('noexcept', 1)],
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
  ['GTt', 'transaction clone for '],
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
