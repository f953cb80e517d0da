import { describe, expect, it } from 'vitest';
import {
  demangle,
  demangleFunctionName,
  identifierPath,
  readableName,
} from '../../../src/crashdump/demangle/demangle.js';
import { namesBySource, recordedNames, verdictOn } from '../../accuracy/demangle.js';
import { cpuClock } from '../../support/cpu-clock.js';

const names = recordedNames();
const bySource = namesBySource();

describe('names of C++20 and C++23', () => {
  it('are read as GNU or LLVM tools read them, or as the source says where neither does', () => {
    const wrong = names
      .map((answers) => ({ ...answers, ours: demangle(answers.mangled) }))
      .filter(({ mangled, ours, ...answers }) => {
        const expected = bySource.get(mangled);
        return expected === undefined
          ? verdictOn({ mangled, ...answers }, ours) !== 'right'
          : ours !== expected;
      });

    expect(wrong).toEqual([]);
    expect(names.length).toBeGreaterThan(300);
  });

  it.each([
    ['_ZN3drv5crashITk8IntegraliEEiT_', 'drv::crash<int>'],
    ['_ZN3drv3BusIiE2goEiQ8IntegralIT_E', 'drv::Bus<int>::go'],
    ['_ZNH3drv3BusIiE4selfERKS1_i', 'drv::Bus<int>::self'],
    ['_ZNK3lamMUlTyT_E_clIiEEDaS_', 'lam::{lambda<typename $T0>($T0)#1}::operator()<int>'],
    ['_ZNW3FooW3Bar1A1fEv', 'A@Foo.Bar::f'],
    ['_ZN1A1fB5cxx11Ev', 'A::f[abi:cxx11]'],
  ])('name frames: %s', (mangled, expected) => {
    expect(demangleFunctionName(mangled)).toBe(expected);
  });

  it.each([
    ['_Z1fv.constprop.0.isra.1', 'f() [clone .constprop.0] [clone .isra.1]'],
    ['_Z1fv.part.0.cold', 'f() [clone .part.0] [clone .cold]'],
    ['_Z1fv.lto_priv.0', 'f() [clone .lto_priv.0]'],
    ['_Z1fv.llvm.12345678901234567', 'f() [clone .llvm.12345678901234567]'],
    ['_Z1fDF16_DF16bDF32x', 'f(_Float16, std::bfloat16_t, _Float32x)'],
    ['_Z1fPDoFivE', 'f(int (*)() noexcept)'],
    ['_Z1fM1AKFivRE', 'f(int (A::*)() const &)'],
    ['_Z1fIJicEEDTfrplfp_EDpT_', 'decltype (({parm#1}+...)) f<int, char>(int, char)'],
    ['_Z1fIXtl1Pdi1adxLi2ELi1EEEEvv', 'void f<P{.a[2]=(1)}>()'],
    ['_ZN1AcvPT_IiEEv', 'A::operator int*<int>()'],
  ])('%s as c++filt prints it', (mangled, expected) => {
    expect(demangle(mangled)).toBe(expected);
  });

  // The parameters of a template are looked up in the function that uses them, not where they were mangled first.
  it('keep their types after a lambda of a template', () => {
    expect(demangle('_ZZN1A1wERiENKUlRKT_mE_clI1BEEDaS3_m')).toBe(
      'auto A::w(int&)::{lambda(auto:1 const&, unsigned long)#1}::operator()<B>(B const&, unsigned long) const',
    );
    // libstdc++: explicit _Prepare_execution(_Callable& __c). Both oracles show the type that call_once() is given.
    expect(
      demangle('_ZNSt9once_flag18_Prepare_executionC1IZSt9call_onceIRFvvEJEEvRS_OT_DpOT0_EUlvE_EERS6_'),
    ).toMatch(/\(std::call_once<void \(&\)\(\)>\(std::once_flag&, void \(&\)\(\)\)::\{lambda\(\)#1\}&\)$/);
  });
});

describe('names of Rust', () => {
  it.each([
    ['_RNvNtCs6oocjQG87Z5_2fw1m2v2', 'fw::m::v2'],
    ['_RINvCs6oocjQG87Z5_2fw5crashlEB2_', 'fw::crash::<i32>'],
    [
      '_RNvXNtCs6oocjQG87Z5_2fw7sensorsINtB2_3BmemENtB2_4Read4readB4_',
      '<fw::sensors::Bme<u32> as fw::sensors::Read>::read',
    ],
    ['_RNCNvC2fw4main0', 'fw::main::{closure#0}'],
    ['_RNSC2fws_4once', 'fw::{shim:once#1}'],
    ['_RINvC2fw1fKj8_Kan3_Kb1_Kc61_E', "fw::f::<8, -3, true, 'a'>"],
    ['_RINvC2fw1fDNtC2fw4ReadEL_RShQeTlE', null],
    ['_RINvC2fw1fDNtB2_4ReadEL_RShQeTlEE', 'fw::f::<dyn fw::Read, &[u8], &mut str, (i32,)>'],
    ['_RINvC2fw1fFUKClEuE', 'fw::f::<unsafe extern "C" fn(i32)>'],
    [
      '_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y',
      'utf8_idents::საჭმელად_გემრიელი_სადილი',
    ],
    ['_ZN4core9panicking5panic17h0123456789abcdefE', 'core::panicking::panic'],
    [
      '_ZN50_$LT$fw..Conn$u20$as$u20$core..ops..drop..Drop$GT$4drop17h0123456789abcdefE.llvm.7',
      '<fw::Conn as core::ops::drop::Drop>::drop',
    ],
  ])('%s', (mangled, expected) => {
    expect(demangle(mangled)).toBe(expected);
  });
});

describe('names that cannot be read', () => {
  it.each([
    ['_ZN3drv3Bus2goIXnewEEvv', 'drv::Bus::go'],
    ['_ZNSt6vector4grow!', 'std::vector::grow'],
    ['_ZN12_GLOBAL__N_16hidden!', '(anonymous namespace)::hidden'],
    ['_RNvNtCs6oocjQG87Z5_2fw3net4recv?', 'fw::net::recv'],
    ['app_main', 'app_main'],
  ])('%s: their identifiers', (symbol, expected) => {
    expect(readableName(symbol)).toBe(expected);
  });

  it('are no identifiers of other names', () => {
    expect(identifierPath('_Zebra')).toBeNull();
    expect(identifierPath('_Reset_Handler')).toBeNull();
  });
});

describe('damaged names', () => {
  it('are read or refused within a moment', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const pool = [...names.map(({ mangled }) => mangled), ...RUST_SEEDS];
    const spentMs = cpuClock();
    for (let round = 0; round < 6000; round++) {
      let name = pool[random(pool.length)] ?? '';
      for (let count = 1 + random(4); count > 0; count--) {
        const at = 2 + random(name.length);
        const piece = pool[random(pool.length)] ?? '';
        const inserted = piece.slice(random(piece.length), random(piece.length));
        name = name.slice(0, at) + inserted + name.slice(at + random(3));
      }
      const result = readableName(name);
      expect(result.length).toBeLessThan(70_000);
    }
    expect(spentMs()).toBeLessThan(30_000);
  });

  it.each([
    [`_ZN${'1a'.repeat(2000)}`],
    [`_Z1fI${'sr1a'.repeat(400)}`],
    [`_Z1fIX${'sr1aI'.repeat(300)}`],
    [`_ZN${'3abc$'.repeat(700)}17h0123456789abcde`],
    [`_RINvC1a1f${'TB_'.repeat(600)}E`],
    [`_RINvC1a1f${'T'.repeat(30)}lE${'TB9_B9_E'.repeat(100)}E`],
    [`_Z1fIXrq${'XrQi_'.repeat(500)}E`],
  ])('that repeat cost no time: %#', (name) => {
    const spentMs = cpuClock();
    readableName(name);

    expect(spentMs()).toBeLessThan(1000);
  });
});

const RUST_SEEDS = [
  '_RNvXNtCs6oocjQG87Z5_2fw7sensorsINtB2_3BmemENtB2_4Read4readB4_',
  '_RINvC2fw1fDNtB2_4ReadEL_RShQeTlEE',
  '_RINvC2fw1fFUKClEuKj8_Kan3_Kb1_Kc61_E',
  '_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y',
  '_ZN50_$LT$fw..Conn$u20$as$u20$core..ops..drop..Drop$GT$4drop17h0123456789abcdefE',
];
