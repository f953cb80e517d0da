/** Words that ESP-IDF writes into memory as marks, and the meaning of such a word in a register. */
const FILL_PATTERNS: readonly { word: number; meaning: string }[] = [
  // FreeRTOS tskSTACK_FILL_BYTE
  { word: 0xa5a5a5a5, meaning: 'stack that was never written' },
  // multi_heap_poisoning.c: FREE_FILL_PATTERN, MALLOC_FILL_PATTERN, TAIL_CANARY_PATTERN, HEAD_CANARY_PATTERN
  { word: 0xfefefefe, meaning: 'heap memory that was freed' },
  { word: 0xcececece, meaning: 'heap memory that was never written' },
  { word: 0xbaad5678, meaning: 'guard word behind a heap block' },
  { word: 0xabba1234, meaning: 'guard word before a heap block' },
];

/** A pointer made from such a word usually has an index or a member's offset added. */
const NEAR = 0x100;

/** "heap memory that was freed"; null for ordinary values. */
export function fillPattern(value: number): string | null {
  return FILL_PATTERNS.find(({ word }) => word === value)?.meaning ?? null;
}

/** The same for an address that was computed from such a word. */
export function fillPatternNear(address: number): { meaning: string; offset: number } | null {
  const found = FILL_PATTERNS.find(({ word }) => address >= word && address - word < NEAR);
  return found ? { meaning: found.meaning, offset: address - found.word } : null;
}
