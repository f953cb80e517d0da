/**
 * `coredock parse` as the build bundles it (src/tools/bundle-parse.mjs): one file instead of many modules. Beside it is
 * V8's code cache from the build, so that nothing is compiled again. The command itself is in src/sidecar/.
 */
import fs = require('node:fs');
import nodeModule = require('node:module');
import path = require('node:path');
import vm = require('node:vm');

import type * as parseStart from './sidecar/parse-start.js';

type ParseStart = typeof parseStart;

interface Bundle {
  exports: ParseStart;
  script: vm.Script;
}

const BUNDLE = path.join(__dirname, 'parse.bundle.cjs');

/** @returns false when there is no bundle, or when it does not accept the options: commander then reports the error */
function start(options: readonly string[]): boolean {
  return loadBundle()?.exports.startParse(options) ?? false;
}

function loadBundle(): Bundle | null {
  const source = readIfThere(BUNDLE)?.toString('latin1');
  if (source === undefined) return null;
  const cachedData = readIfThere(codeCacheOf(source));
  // V8 rejects a cache of another V8 version or of other flags, and compiles the source.
  const script = new vm.Script(`(function (module, require) {${source}\n})`, {
    filename: BUNDLE,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const module = { exports: {} as ParseStart };
  script.runInThisContext()(module, nodeModule.createRequire(BUNDLE));
  return { exports: module.exports, script };
}

/**
 * V8 compares only the length of the source, so the cache's name contains the hash from the source's first line. It
 * also contains Node's version, so that each version has its own cache.
 */
function codeCacheOf(source: string): string {
  const hash = source.slice(2, source.indexOf('\n')).trim();
  return path.join(__dirname, `parse.${hash}.${process.version}-${process.platform}-${process.arch}.cache`);
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

export = { start, loadBundle, codeCacheOf };
