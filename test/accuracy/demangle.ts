import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { demangle } from '../../src/crashdump/demangle/demangle.js';
import type { AccuracyRow } from './row.js';

/** A mangled name with what GNU c++filt and llvm-cxxfilt make of it; null when they cannot read it. */
export interface OracleAnswers {
  mangled: string;
  gnu: string | null;
  llvm: string | null;
}

/** Recorded answers for names of our own: test/fixtures/demangle/record.sh. */
export function recordedNames(): OracleAnswers[] {
  const table = readFileSync(new URL('../fixtures/demangle/names.tsv', import.meta.url), 'utf8');
  return table
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [mangled = '', gnu = '', llvm = ''] = line.split('\t');
      return { mangled, gnu: gnu === mangled ? null : gnu, llvm: llvm === mangled ? null : llvm };
    });
}

/** Our names where no oracle says what the source says, reviewed by hand: test/fixtures/demangle/by-source.tsv. */
export function namesBySource(): Map<string, string> {
  const table = readFileSync(new URL('../fixtures/demangle/by-source.tsv', import.meta.url), 'utf8');
  return new Map(
    table
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [mangled = '', expected = ''] = line.split('\t');
        return [mangled, expected];
      }),
  );
}

/**
 * In libraries too both oracles are wrong of some names. They look a parameter of a template up where it was mangled
 * first, instead of in the function whose parameter it is; the declarations in the sources say what is right.
 */
const WRONG_ORACLES: readonly RegExp[] = [
  /_Prepare_executionC/, // libstdc++, <mutex>: _Prepare_execution(_Callable& __c)
  /napi_env__14CallIntoModule/, // Node: CallIntoModule(T&& call, U&& handle_exception)
  /callAsync/, // LLVM: callAsync(AsyncCallerFn &&Caller, SendDeserializedResultFn &&SendDeserializedResult, …)
  /DispatchToSpecificTypeWithoutCast/, // V8: DispatchToSpecificTypeWithoutCast(TArgs&&... args)
  /variadicMatcherDescriptor|makeMatcherAutoMarshall/, // clang: BindableMatcher<T> makeDynCastAllOfComposite<T, InnerT>(…)
];

export type Verdict = 'right' | 'bySource' | 'unread' | 'wrong';

export function verdictOn({ mangled, gnu, llvm }: OracleAnswers, ours: string | null): Verdict {
  const isReadable = gnu !== null || llvm !== null;
  if (ours === null) return isReadable ? 'unread' : 'right';
  if (ours === gnu || [gnu, llvm].some((answer) => answer !== null && sameName(answer, ours))) return 'right';
  return WRONG_ORACLES.some((pattern) => pattern.test(mangled)) ? 'bySource' : 'wrong';
}

function sameName(a: string, b: string): boolean {
  return withoutStyle(a) === withoutStyle(b);
}

/** What GNU and LLVM write in different ways. */
function withoutStyle(name: string): string {
  return name
    .replaceAll('std::nullptr_t', 'decltype(nullptr)')
    .replace(
      /std::basic_(string|ostream|istream|iostream)<char, std::char_traits<char>(, std::allocator<char>)? ?>/g,
      'std::$1',
    )
    .replace(/\(\.([\w.]+)\)$/, '[clone.$1]')
    .replaceAll('<, ', '<')
    .replace(/__vector\((\d+)\)/g, 'vector[$1]')
    .replace(/'lambda\d*'(<[^()]*>)?\(/g, '{lambda$1(')
    .replace(/#\d+\}/g, '')
    .replace(/auto:\d/g, 'auto')
    .replace(/\{parm#\d+\}/g, 'fp')
    .replace(/reference temporary #\d+/, 'reference temporary')
    .replace(/(?<=[\s<(,])(?:auto|void|bool|unsigned short) /g, '')
    .replace(/(?<=\w)\[[0-9a-f]{1,16}\]|::h[0-9a-f]{16}$/g, '') // hashes of Rust
    .replace(/\b(\d+)(?:: )?[ui](?:8|16|32|64|128|size)\b/g, '$1')
    .replace(/[\s()]+/g, '');
}

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const TOOLCHAINS = join(process.env.RUSTUP_HOME ?? join(homedir(), '.rustup'), 'toolchains');

/** Every C++ and Rust name of large libraries, where this machine has them, by both oracles. */
export async function measureDemangling(): Promise<AccuracyRow[]> {
  const rows = [
    rowOf('C++20/23 of our own compilation', 'recorded answers of both', recordedNames(), namesBySource()),
  ];
  const tools = [
    ['GNU c++filt', 'c++filt'],
    ['llvm-cxxfilt', 'llvm-cxxfilt-19'],
  ].filter(([, tool]) => !runs(tool ?? ''));
  for (const [kind, folder, pattern] of SOURCES) {
    const file = existsSync(folder) ? readdirSync(folder).find((name) => pattern.test(name)) : undefined;
    const missing =
      file === undefined
        ? `${folder}/${pattern.source} is missing`
        : tools.map(([name]) => `${name} is missing`)[0];
    if (missing !== undefined || file === undefined) {
      rows.push({
        kind: `names: ${kind}`,
        tried: 0,
        right: 0,
        namedMissing: 0,
        wrong: 0,
        remark: missing ?? '',
      });
    } else rows.push(rowOf(kind, file, answersFor(`${folder}/${file}`), new Map()));
  }
  return rows;
}

const SOURCES: readonly [kind: string, folder: string, file: RegExp][] = [
  ['libstdc++', LIBRARIES, /^libstdc\+\+\.so\.6$/],
  ['libstdc++, static', '/usr/lib/gcc/x86_64-linux-gnu/12', /^libstdc\+\+\.a$/],
  ['LLVM', LIBRARIES, /^libLLVM\.so\.19\.1$/],
  ['clang', LIBRARIES, /^libclang-cpp\.so\.19\.1$/],
  ['Node', '/usr/bin', /^node$/],
  ['rustc, v0', `${TOOLCHAINS}/stable-x86_64-unknown-linux-gnu/lib`, /^librustc_driver-\w+\.so$/],
  ['rustc 1.63, both manglings', LIBRARIES, /^librustc_driver-\w+\.so$/],
  ['Rust std 1.63, legacy', LIBRARIES, /^libstd-\w+\.so$/],
];

function rowOf(
  kind: string,
  oracle: string,
  names: readonly OracleAnswers[],
  known: Map<string, string>,
): AccuracyRow {
  const counts: Record<Verdict, number> = { right: 0, bySource: 0, unread: 0, wrong: 0 };
  for (const answers of names) {
    const ours = demangle(answers.mangled);
    const bySource = known.get(answers.mangled);
    if (bySource === undefined) counts[verdictOn(answers, ours)]++;
    else counts[ours === bySource ? 'bySource' : 'wrong']++;
  }
  return {
    kind: `names: ${kind}`,
    tried: names.length,
    right: counts.right + counts.bySource,
    namedMissing: counts.unread,
    wrong: counts.wrong,
    remark: `${oracle}; ${counts.bySource} right by the source, against the oracles`,
  };
}

function runs(tool: string): boolean {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function answersFor(library: string): OracleAnswers[] {
  const symbols = (flags: string[]) =>
    execFileSync('nm', [...flags, '--defined-only', library], {
      maxBuffer: 2 ** 30,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const listed = String(library.endsWith('.a') ? symbols([]) : symbols(['-D']));
  const names = new Set<string>();
  for (const line of listed.split('\n')) {
    const name = line.split(' ').at(-1)?.replace(/@.*/, '') ?? '';
    if (/^_(?:Z|R[A-Z])/.test(name)) names.add(name);
  }
  const isRust = (name: string) => /^_R|17h[0-9a-f]{16}E/.test(name);
  return [
    ...ask([...names].filter(isRust), ['-s', 'rust']),
    ...ask(
      [...names].filter((name) => !isRust(name)),
      [],
    ),
  ];
}

function ask(names: readonly string[], flags: string[]): OracleAnswers[] {
  const answers = (tool: string, args: string[]) =>
    String(execFileSync(tool, args, { input: `${names.join('\n')}\n`, maxBuffer: 2 ** 30 })).split('\n');
  const gnu = answers('c++filt', flags);
  const llvm = answers('llvm-cxxfilt-19', []);
  const read = (answer: string | undefined, mangled: string) =>
    answer === undefined || answer === mangled ? null : answer;
  return names.map((mangled, index) => ({
    mangled,
    gnu: read(gnu[index], mangled),
    llvm: read(llvm[index], mangled),
  }));
}
