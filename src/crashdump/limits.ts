/**
 * What a report may grow to, whatever the input says. Real devices stay far below: IDF dumps at most 64 tasks by
 * default, and a stack of 64 KiB (the largest that is dumped) holds 2,000 frames only if recursion filled it.
 */
export const MAX_TASKS = 256;
export const MAX_FRAMES_PER_TASK = 512;
export const MAX_FRAMES = 8192;
/** Program headers may all name the same bytes, so their number alone bounds nothing. */
export const MAX_SEGMENTS = 4096;
export const MAX_NOTES = 4096;
