#!/usr/bin/env node
// Node syncs files on libuv's threads, four by default, and a sync mostly waits for the disk: with more of them
// concurrent uploads share the disk's work. The number is read when the first thread starts, which is while Node loads
// an ES module; so this file is CommonJS, sets it, and only then loads the program.
process.env.UV_THREADPOOL_SIZE ??= '16';
void import('./cli.js');
