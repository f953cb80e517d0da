/**
 * Limits of a report for any input. Real devices stay far below: IDF dumps at most 64 tasks by default, and a stack of
 * 64 KiB (the largest that is dumped) holds 2,000 frames only if recursion fills it.
 */
export const MAX_TASKS = 256;
export const MAX_FRAMES_PER_TASK = 512;
export const MAX_FRAMES = 8192;
/** Of code without call-frame information; a function has some hundred, and every frame of it is followed. */
export const MAX_INSTRUCTIONS = 1_000_000;
/** A device that dumps all its memory writes one for each heap block. As many as an ELF header can count. */
export const MAX_SEGMENTS = 65_535;
export const MAX_NOTES = 4096;
/** A dump with all blocks of the heap has thousands. */
export const MAX_MEMORY_REGIONS = 256;
