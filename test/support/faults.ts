import fs, { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Call = 'open' | 'copyFile';
type HandleMethod = 'write' | 'writev' | 'read' | 'sync';

/**
 * Lets calls of node:fs/promises fail with a system's error code, as a failing disk does, until the returned function
 * is called. Only for what cannot be had from a real file system.
 */
export function failCalls(
  name: Call,
  code: string,
  matches: (path: string) => boolean = () => true,
): () => void {
  const original = promises[name];
  const failing = async (path: unknown, ...rest: unknown[]) => {
    if (matches(String(path))) {
      throw Object.assign(new Error(`${code}: made up for the test, ${name}`), { code, syscall: name });
    }
    return Reflect.apply(original, promises, [path, ...rest]);
  };
  Object.assign(promises, { [name]: failing });
  syncBuiltinESMExports();
  return () => {
    Object.assign(promises, { [name]: original });
    syncBuiltinESMExports();
  };
}

/** Lets a method of the file handles that `open` gives for matching paths fail. */
export function failHandles(
  method: HandleMethod,
  code: string,
  matches: (path: string) => boolean = () => true,
): () => void {
  return watchHandles(method, matches, () => {
    throw Object.assign(new Error(`${code}: made up for the test, ${method}`), { code, syscall: method });
  });
}

/** Lets the file handles that `open` gives take a few bytes of every write only, as POSIX allows. */
export function shortenWrites(maxBytes: number): () => void {
  const everywhere = () => true;
  const undoWrite = wrapHandles('write', everywhere, (real, [bytes, offset = 0]) =>
    real(bytes, offset, Math.min((bytes as Uint8Array).byteLength - Number(offset), maxBytes)),
  );
  const undoWritev = wrapHandles('writev', everywhere, (real, [chunks]) =>
    real((chunks as Uint8Array[]).slice(0, 1).map((chunk) => chunk.subarray(0, maxBytes))),
  );
  return () => {
    undoWritev();
    undoWrite();
  };
}

/** Calls `before` ahead of every call of a method of the file handles that `open` gives for matching paths. */
function watchHandles(
  method: HandleMethod,
  matches: (path: string) => boolean,
  before: () => void,
): () => void {
  return wrapHandles(method, matches, (real, args) => {
    before();
    return real(...args);
  });
}

/** Lets synchronous calls fail, as `failCalls` does others. */
export function failSyncCalls(name: 'linkSync' | 'writeSync', code: string): () => void {
  return replace({
    [name]: () => {
      throw Object.assign(new Error(`${code}: made up for the test, ${name}`), { code, syscall: name });
    },
  });
}

/** Lets synchronous writes take a few bytes only, as POSIX allows. */
export function shortenSyncWrites(maxBytes: number): () => void {
  const { writeSync } = fs;
  return replace({
    writeSync: (fd: number, bytes: Uint8Array, offset = 0) =>
      writeSync(fd, bytes, offset, Math.min(bytes.byteLength - offset, maxBytes)),
  });
}

/**
 * Calls `before` ahead of every fsync of what was opened synchronously under matching paths. It throws to let that
 * fail.
 */
export function watchSyncs(matches: (path: string) => boolean, before: () => void): () => void {
  const { openSync, fsync } = fs;
  const paths = new Map<number, string>();
  return replace({
    openSync: (path: string, flags: string) => {
      const fd = openSync(path, flags);
      paths.set(fd, path);
      return fd;
    },
    fsync: (fd: number, done: (error: unknown) => void) => {
      try {
        if (matches(paths.get(fd) ?? '')) before();
      } catch (error) {
        setImmediate(done, error);
        return;
      }
      fsync(fd, done);
    },
  });
}

/** Lets every such fsync fail. */
export function failSyncs(code: string, matches: (path: string) => boolean = () => true): () => void {
  return watchSyncs(matches, () => {
    throw Object.assign(new Error(`${code}: made up for the test, fsync`), { code, syscall: 'fsync' });
  });
}

function replace(changed: Partial<Record<'linkSync' | 'writeSync' | 'openSync' | 'fsync', unknown>>) {
  const { linkSync, writeSync, openSync, fsync } = fs;
  Object.assign(fs, changed);
  syncBuiltinESMExports();
  return () => {
    Object.assign(fs, { linkSync, writeSync, openSync, fsync });
    syncBuiltinESMExports();
  };
}

function wrapHandles(
  method: HandleMethod,
  matches: (path: string) => boolean,
  call: (real: (...args: unknown[]) => unknown, args: unknown[]) => unknown,
): () => void {
  const original = promises.open;
  const opening: typeof promises.open = async (path, ...rest) => {
    const handle = await original(path, ...rest);
    if (!matches(String(path))) return handle;
    const genuine = handle[method];
    const real = (...args: unknown[]) => Reflect.apply(genuine, handle, args);
    return Object.assign(handle, { [method]: async (...args: unknown[]) => call(real, args) });
  };
  Object.assign(promises, { open: opening });
  syncBuiltinESMExports();
  return () => {
    Object.assign(promises, { open: original });
    syncBuiltinESMExports();
  };
}
