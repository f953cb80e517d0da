#!/usr/bin/env bash
# The package `buffer` (Node's Buffer for browsers) throws where Node's Buffer answers: `indexOf` and `includes` of a text in
# UTF-16, in bytes of an odd length.
#
# Expected, as Node has it: -1 and false; whole characters are compared, a last single byte is none.
# Seen: RangeError "Trying to access beyond buffer length".
#
# What we do: look into whole characters only (`charsetOf` in src/crashdump/core/transport/plain-text.ts). Any text file of an
# odd length that is not a dump would have ended the reader in a browser with that error.
#
# buffer 6.0.3. Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --ignore-scripts --no-audit --no-fund --loglevel=error buffer@6.0.3 >/dev/null
cat >try.cjs <<'JS'
const { Buffer: browsers } = require('buffer/');
const bytes = [1, 2, 3, 4, 5];
console.log('Node:', Buffer.from(bytes).indexOf('ab', 0, 'utf16le'), Buffer.from(bytes).includes('ab', 0, 'utf16le'));
try {
  console.log('buffer:', browsers.from(bytes).indexOf('ab', 0, 'utf16le'));
} catch (error) {
  console.log('buffer:', `${error}`);
}
JS
node try.cjs | tee seen
grep -qx 'Node: -1 false' seen
grep -qx 'buffer: RangeError: Trying to access beyond buffer length' seen
