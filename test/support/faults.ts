import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Call = 'link' | 'open' | 'rename' | 'copyFile' | 'unlink';
type HandleMethod = 'sync' | 'write' | 'writev' | 'read' | 'stat';

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
export function watchHandles(
  method: HandleMethod,
  matches: (path: string) => boolean,
  before: () => void,
): () => void {
  return wrapHandles(method, matches, (real, args) => {
    before();
    return real(...args);
  });
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
