/**
 * `coredock parse` as the build bundles it (src/tools/bundle-parse.mjs): one file instead of a hundred modules, and
 * beside it V8's code cache of an earlier run, so that nothing is compiled again. Everything else about the command
 * is in src/sidecar/.
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

/** @returns false when there is no bundle, or when the options are not for it: commander then says what is wrong */
function start(options: readonly string[]): boolean {
  return loadBundle()?.exports.startParse(options) ?? false;
}

function loadBundle(): Bundle | null {
  const source = readIfThere(BUNDLE)?.toString('latin1');
  if (source === undefined) return null;
  const cachedData = readIfThere(codeCacheOf(source));
  // V8 checks the cache and compiles again what another V8 or other flags have made.
  const script = new vm.Script(`(function (module, require) {${source}\n})`, {
    filename: BUNDLE,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const module = { exports: {} as ParseStart };
  script.runInThisContext()(module, nodeModule.createRequire(BUNDLE));
  return { exports: module.exports, script };
}

/**
 * V8 compares the length of the source alone, so the name has the hash from its first line. Node's version is in the
 * name too, so that each version finds its own cache.
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
