import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demangle, demangleFunctionName } from '../../../src/crashdump/demangle/demangle.js';

describe('demangle', () => {
  it.each([
    ['_ZN3nvs4Page4loadEj', 'nvs::Page::load(unsigned int)'],
    ['_ZNKSt9type_infoeqERKS_', 'std::type_info::operator==(std::type_info const&) const'],
    ['_ZN12_GLOBAL__N_16hiddenEiRi', '(anonymous namespace)::hidden(int, int&)'],
    ['_ZN8geometry3BoxIiEC2Ei', 'geometry::Box<int>::Box(int)'],
    ['_ZN8geometry3BoxImED1Ev', 'geometry::Box<unsigned long>::~Box()'],
    ['_ZNK8geometry3BoxIiEcviEv', 'geometry::Box<int>::operator int() const'],
    [
      '_ZSt3maxIjERKT_S2_S2_',
      'unsigned int const& std::max<unsigned int>(unsigned int const&, unsigned int const&)',
    ],
    ['_ZNSt6vectorIiSaIiEE9push_backEOi', 'std::vector<int, std::allocator<int> >::push_back(int&&)'],
    ['_Z3runPFvPvES_', 'run(void (*)(void*), void*)'],
    ['_Z4callM3FooFivE', 'call(int (Foo::*)())'],
    ['_Z3sumRA4_Ki', 'sum(int const (&) [4])'],
    ['_ZZ4mainENKUlvE_clEv', 'main::{lambda()#1}::operator()() const'],
    ['_ZTV9Exception', 'vtable for Exception'],
    ['_ZGVZ4mainE5guard', 'guard variable for main::guard'],
    ['_ZThn8_N3Foo3barEv', 'non-virtual thunk to Foo::bar()'],
    ['_ZL18wait_for_guard_objP7guard_t.isra.0', 'wait_for_guard_obj(guard_t*) [clone .isra.0]'],
    ['_Z1fIJicEEvDpT_', 'void f<int, char>(int, char)'],
    ['_Z1gILi3ELb1EEvv', 'void g<3, true>()'],
  ])('%s', (mangled, expected) => {
    expect(demangle(mangled)).toBe(expected);
  });

  it.each(['app_main', '_Z', '_ZN', '_Z3foo', '_Z99999999999foo', '_ZN3fooE!'])(
    'leaves %s as it is',
    (name) => {
      const result = demangle(name);

      expect(result === null || result === 'foo').toBe(true);
    },
  );

  it('gives frames the name alone', () => {
    expect(demangleFunctionName('_ZSt3maxIjERKT_S2_S2_')).toBe('std::max<unsigned int>');
    expect(demangleFunctionName('_ZNKSt9type_infoeqERKS_')).toBe('std::type_info::operator==');
  });

  it('gives up on names that would double with every substitution', () => {
    const bomb = `_Z1f1aI${'S_IS0_S0_E'.repeat(60)}E`;

    expect(() => demangle(bomb)).not.toThrow();
  });

  it('reads any text without throwing', () => {
    const piece = fc.constantFrom(...'NIKRPSTE_Z0123456789abcdvijlLXJDpFAMstUl'.split(''));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const result = demangle(`_Z${pieces.join('')}`);
        expect(result === null || typeof result === 'string').toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});
