#!/usr/bin/env node
import bundledParse = require('./bundled-parse.cjs');

// Node syncs files on libuv's threads, four by default, and a sync mostly waits for the disk: with more threads,
// concurrent uploads share its work. libuv reads the number when its first thread starts, which is while Node loads an
// ES module. So this file is CommonJS, sets the number, and then loads the program.
process.env.UV_THREADPOOL_SIZE ??= '16';
const [command, ...options] = process.argv.slice(2);
if (command !== 'parse' || !bundledParse.start(options)) {
  // graphql and other packages make extra checks at every step unless NODE_ENV is production.
  process.env.NODE_ENV ??= 'production';
  void import('./cli.js');
}
