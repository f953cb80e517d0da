/** What a crash was read from. */
export const CRASH_SOURCES = ['core_dump', 'panic_text', 'summary'] as const;

export type CrashSource = (typeof CRASH_SOURCES)[number];
