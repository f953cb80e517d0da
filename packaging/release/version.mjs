/**
 * Compares a tag with what the repository says about the version, and prints `version=` and `channel=` for the release
 * workflow. A tag that was made too early ends the release before anything is published.
 */
import { readFileSync } from 'node:fs';

const [tag = ''] = process.argv.slice(2);
const version = tag.replace(/^v/, '');
const problems = [];

if (!/^v\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?$/.test(tag)) {
  problems.push(`the tag "${tag}" is not like v1.2.3 or v1.2.3-rc.1`);
}
const lock = readJson('package-lock.json');
for (const [file, found] of [
  ['package.json', readJson('package.json').version],
  ['package-lock.json', lock.version],
  ['package-lock.json (packages)', lock.packages[''].version],
  ['compose.yaml', /coredock\/coredock:([\w.-]+)\}/.exec(readFileSync('compose.yaml', 'utf8'))?.[1]],
  ...['docs/ci.md', 'packaging/github-action/README.md'].map((file) => [
    file,
    /packaging\/github-action@v([\w.-]+)/.exec(readFileSync(file, 'utf8'))?.[1],
  ]),
]) {
  if (found !== version) problems.push(`${file} has version ${found}, and the tag ${tag}`);
}
if (!new RegExp(`^## ${version.replaceAll('.', '\\.')}( |$)`, 'm').test(readFileSync('CHANGELOG.md', 'utf8'))) {
  problems.push(`CHANGELOG.md has no section "## ${version}"`);
}

if (problems.length > 0) {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exit(1);
}
// npm's and the registry's name for what people get who ask for no version.
process.stdout.write(`version=${version}\nchannel=${version.includes('-') ? 'next' : 'latest'}\n`);

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
