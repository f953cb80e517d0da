/** The handlers of UBSan (ubsan.c of ESP-IDF), by what they found. */
const UNDEFINED: Readonly<Record<string, string>> = {
  add_overflow: 'a signed addition overflowed',
  sub_overflow: 'a signed subtraction overflowed',
  mul_overflow: 'a signed multiplication overflowed',
  negate_overflow: 'a signed negation overflowed',
  divrem_overflow: 'a division by zero or of the smallest number by −1',
  shift_out_of_bounds: 'a shift by more bits than the type has, or by a negative number',
  out_of_bounds: 'an array index outside the array',
  missing_return: 'a function with a result ended without one',
  vla_bound_not_positive: 'an array of variable length without a positive length',
  load_invalid_value: 'a bool or an enum held a value that its type does not have',
  nonnull_arg: 'NULL was passed where the function does not allow it',
  nonnull_return: 'NULL was returned where it is not allowed',
  type_mismatch: 'a NULL or misaligned pointer, or an object too small for its type',
  type_mismatch_v1: 'a NULL or misaligned pointer, or an object too small for its type',
  pointer_overflow: 'pointer arithmetic left the object',
  builtin_unreachable: 'code that was declared unreachable was reached',
  invalid_builtin: 'a builtin function got a value that it does not allow',
};

type Explained = readonly [RegExp, (found: RegExpExecArray) => string];

/** Texts whose kind alone explains too little. */
const TEXTS: readonly Explained[] = [
  [
    /^Undefined behavior of type (\w+)/,
    ([, type = '']) => `UBSan found undefined behavior: ${UNDEFINED[type] ?? type.replaceAll('_', ' ')}`,
  ],
  [
    /^(?:KASAN|ASAN)/,
    () =>
      'The address sanitizer found an access to memory that was freed, never allocated, or behind a block',
  ],
  [
    /used in ISRs/i,
    () => 'A coprocessor (floating point, vector) was used in an interrupt handler, where it is not allowed',
  ],
  [
    /PIE coprocessor is not supported|task must migrate to core/i,
    () => 'Vector instructions ran on a core that has none, and the task could not move to the other core',
  ],
  [
    /coprocessor must not be used in critical/i,
    () =>
      'Vector instructions ran in a critical section, where the task cannot move to the core that has them',
  ],
  [/write to cache/i, () => 'A write to flash through its mapping in memory: to a constant or to code'],
  [/MMU entry fault/i, () => 'An address of flash or PSRAM was used to which nothing is mapped'],
];

/** A sentence for a known text of ESP-IDF; null for others. @param place " in `f` at f.c:1", or empty */
export function wordsOfText(text: string, place: string): string | null {
  for (const [pattern, words] of TEXTS) {
    const found = pattern.exec(text);
    if (found) return `${words(found)}${place}`;
  }
  return null;
}

/**
 * The heap finds damage when it next uses the damaged block, so the function that finds it is mostly not the one that
 * caused it.
 * @param innermost the innermost named function
 */
export function wordsOfHeap(text: string, innermost: string | null, place: string): string {
  if (/already marked as free/.test(text)) return `A heap block was freed twice${place}`;
  if (/outside heap areas|^assert failed: heap_caps_free |ptr_in_range|free\(\) target pointer/.test(text))
    return `A pointer was freed that is not of the heap${place}`;
  const finder = /^assert failed: ([^\s(]+)/.exec(text)?.[1] ?? innermost;
  const found = finder === null ? 'found' : `found by \`${finder.replace(/\(.*$/s, '')}\``;
  return `The heap was corrupted earlier, by a write outside a block or to a freed one, and ${found} only now${place}`;
}
