import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './storage-errors.js';

/**
 * Makes names durable: a new file survives a power cut only when the folder that holds its name was synced after it
 * got there, and the folder's own name likewise, up to `root`.
 */
export function createFolderSync(root: string) {
  const sync = createSharedSync();
  /** Folders whose own names are durable. Forgetting one costs a sync, never safety. */
  const durable = new Set<string>([root]);

  return {
    /** Resolves when every name in `folder`, and the way down to it, is on disk. */
    async syncDownTo(folder: string): Promise<void> {
      const unsure: string[] = [];
      for (let each = folder; !durable.has(each); each = dirname(each)) unsure.push(each);
      await Promise.all([sync(folder), ...unsure.map((each) => sync(dirname(each)))]);
      for (const each of unsure) durable.add(each);
    },

    /** To be called before a folder may be removed: one that is made again under its name starts anew. */
    forget(folder: string): void {
      if (folder !== root) durable.delete(folder);
    },
  };
}

/** Makes a folder with all that is above it, durably. */
export async function makeFolder(folder: string): Promise<void> {
  const topmost = await mkdir(folder, { recursive: true });
  if (topmost === undefined) return;
  for (let each = folder; each.length >= topmost.length; each = dirname(each))
    await syncFolder(dirname(each));
}

/**
 * Syncs of one folder that are asked for while one is running share the next: only a sync that begins after a name
 * was written makes that name durable.
 */
function createSharedSync() {
  const folders = new Map<string, { running: Promise<void>; next: Promise<void> | null }>();

  return function sync(folder: string): Promise<void> {
    const state = folders.get(folder);
    if (state === undefined) return start(folder);
    state.next ??= state.running.then(
      () => start(folder),
      () => start(folder),
    );
    return state.next;
  };

  function start(folder: string): Promise<void> {
    const state = { running: syncFolder(folder), next: null };
    folders.set(folder, state);
    const forget = () => {
      if (state.next === null) folders.delete(folder);
    };
    state.running.then(forget, forget);
    return state.running;
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, 'r');
  } catch (error) {
    // Windows cannot open folders; NTFS journals names by itself.
    if (process.platform === 'win32' && hasCode(error, 'EISDIR', 'EPERM')) return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems have no sync of folders (POSIX allows EINVAL): their servers order names.
    if (!hasCode(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP')) throw error;
  } finally {
    await handle.close();
  }
}
