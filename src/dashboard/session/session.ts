import { BASE_PATH } from '../base-path';
import { type PageConfig, readPageConfig, type SignedIn } from './page-config';

/**
 * The session of the browser, as this tab knows it. Its secret is in a cookie that no script can read, so every request
 * and the WebSocket have it by themselves, in all tabs.
 */
export interface SessionState {
  /** The server's last answer; null until there is one. */
  config: PageConfig | null;
  /** Why the server could not be asked the last time. */
  problem: string | null;
  /** New when somebody else has signed in: what one person saw is never shown to another. */
  number: number;
  /**
   * The person for whom the page is drawn. While nobody is signed in it is whoever was when the session ended: they may
   * continue where they were.
   */
  person: SignedIn | null;
  /** The session has ended while the page was in use. */
  isLocked: boolean;
  /** Why nobody is signed in. */
  ended: 'signed-out' | 'ended' | 'forbidden' | null;
}

let state: SessionState = {
  config: null,
  problem: null,
  number: 0,
  person: null,
  isLocked: false,
  ended: null,
};
const listeners = new Set<() => void>();

/** Other tabs of this browser: one has signed in or out. */
const channel = new BroadcastChannel(`coredock${BASE_PATH}`);

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** The cookie lasts longer each time that the server is asked: for screens on a wall that nobody reloads. */
const ASK_EVERY_MS = 6 * 60 * 60 * 1000;

let asking: Promise<void> | null = null;
let isAskedAgain = false;

export function sessionState(): SessionState {
  return state;
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Begins to follow the session; later calls do nothing. */
export function followSession(): void {
  if (asking !== null || state.config !== null) return;
  channel.addEventListener('message', () => void askAgain());
  window.setInterval(() => void askAgain(), ASK_EVERY_MS);
  void askAgain();
}

/** Asks the server who is signed in, until it answers. For a request or a socket that was refused, too. */
export function askAgain(): Promise<void> {
  isAskedAgain = true;
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

/** Takes over a sign-in of this tab, and tells the other tabs. */
export function signedIn(person: SignedIn): void {
  if (state.config === null) return;
  accept({ ...state.config, session: person, ended: null });
  channel.postMessage('changed');
}

/** Takes over the end of the session by a person in this tab, and tells the other tabs. */
export function signedOut(): void {
  if (state.config === null) return;
  change({
    config: { ...state.config, session: null, ended: null },
    person: null,
    isLocked: false,
    ended: 'signed-out',
    number: state.number + 1,
  });
  channel.postMessage('changed');
}

/** Resolves when the page may send requests: at once, unless it waits for a sign-in. */
export function untilUnlocked(): Promise<void> {
  if (!state.isLocked) return Promise.resolve();
  return new Promise((resolve) => {
    const unlisten = onSessionChange(() => {
      if (state.isLocked) return;
      unlisten();
      resolve();
    });
  });
}

async function ask(): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  while (isAskedAgain) {
    isAskedAgain = false;
    const before = state.config;
    try {
      const config = await readPageConfig();
      // A sign-in or sign-out of this tab in the meantime is newer than the answer.
      if (state.config === before) accept(config);
      else isAskedAgain = true;
    } catch (error) {
      change({ problem: error instanceof Error ? error.message : String(error) });
      isAskedAgain = true;
      await pause(pauseMs * (0.75 + Math.random() / 2));
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }
}

function accept(config: PageConfig): void {
  const { session } = config;
  if (session !== null) {
    const isOther = state.person !== null && !isSame(state.person, session);
    change({
      ...{ config, problem: null, person: session, isLocked: false, ended: null },
      number: isOther ? state.number + 1 : state.number,
    });
    return;
  }
  const isEnding = state.config?.session != null;
  change({
    ...{ config, problem: null },
    isLocked: config.authentication && state.person !== null,
    ended: isEnding ? (config.ended ?? 'ended') : (config.ended ?? state.ended),
  });
}

function isSame(one: SignedIn, other: SignedIn): boolean {
  return one.name === other.name && one.role === other.role && one.via === other.via;
}

function change(next: Partial<SessionState>): void {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
