#!/usr/bin/env bash
# papaparse does not find the separator of a file with two columns, if its last line ends as lines do.
#
# Expected: ["serial","name"], ["A-1","Hall"] by the semicolon, as with three columns and without the last line end.
# Seen: the comma, and each line as one cell. The empty rest behind the last line end counts as a line of one cell, and the
# average of the cells in a line must be more than 1.99 (`guessDelimiter`). The warning UndetectableDelimiter is there.
# `skipEmptyLines: true` avoids it, but then empty lines cannot be counted.
#
# What we do: the most frequent separator of the first line (`separatorOf` in src/device-list/read-device-list.ts).
#
# papaparse 5.7.1. Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >init.txt
npm install --silent --ignore-scripts papaparse@5.7.1
cat >parse.cjs <<'JS'
const Papa = require('papaparse');
const parse = (text) => {
  const { data, errors, meta } = Papa.parse(text);
  return JSON.stringify([meta.delimiter, data, errors.map(({ code }) => code)]);
};
console.log('two columns:        ', parse('serial;name\nA-1;Hall\n'));
console.log('without the last LF:', parse('serial;name\nA-1;Hall'));
console.log('three columns:      ', parse('serial;key;name\nA-1;k1;Hall\n'));
JS
node parse.cjs | tee seen.txt
grep -q '^two columns: *\[",",\[\["serial;name"\],\["A-1;Hall"\],\[""\]\],\["UndetectableDelimiter"\]\]$' seen.txt
grep -q '^without the last LF: *\[";",\[\["serial","name"\],\["A-1","Hall"\]\],\[\]\]$' seen.txt
grep -q '^three columns: *\[";",' seen.txt
