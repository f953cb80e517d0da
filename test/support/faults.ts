import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Call = 'link' | 'open' | 'rename' | 'copyFile' | 'unlink';
type HandleMethod = 'sync' | 'write' | 'read' | 'stat';

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

/** Calls `before` ahead of every call of a method of the file handles that `open` gives for matching paths. */
export function watchHandles(
  method: HandleMethod,
  matches: (path: string) => boolean,
  before: () => void,
): () => void {
  const original = promises.open;
  const opening: typeof promises.open = async (path, ...rest) => {
    const handle = await original(path, ...rest);
    if (!matches(String(path))) return handle;
    const real = handle[method];
    const watched = async (...args: unknown[]) => {
      before();
      return Reflect.apply(real, handle, args);
    };
    return Object.assign(handle, { [method]: watched });
  };
  Object.assign(promises, { open: opening });
  syncBuiltinESMExports();
  return () => {
    Object.assign(promises, { open: original });
    syncBuiltinESMExports();
  };
}
