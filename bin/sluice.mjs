#!/usr/bin/env node
/** The `sluice` command: checks that this Node can run it, then hands over to the sources or to what was built from them. */
import { existsSync, readFileSync } from 'node:fs';

const sources = new URL('../src/cli/main.ts', import.meta.url);
const built = new URL('../dist/cli/main.js', import.meta.url);

// Kept to syntax that any Node with modules understands, so that an old one prints the message below and not a syntax error.
const found = process.versions.node;
const needed = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).engines.node.replace('>=', '');

if (isOlder(found, needed)) {
  const bundled = new URL('../node_modules/.bin/node', import.meta.url);
  const advice = existsSync(bundled)
    ? 'This checkout has one: put its node_modules/.bin first in PATH, or start it with "npm start".'
    : 'Install it from nodejs.org, or run "npm ci" here, which brings it on Linux x64.';
  process.stderr.write(`sluice: found Node ${found}, expected ${needed} or later. ${advice}\n`);
  process.exit(1);
}
// Where the sources are, they are what people edit; an image holds only what was built.
if (!existsSync(sources) && !existsSync(built)) {
  process.stderr.write('sluice: found neither src/cli/main.ts nor dist/cli/main.js beside bin. Run "npm run build".\n');
  process.exit(1);
}
await import(existsSync(sources) ? sources.href : built.href);

/** @param {string} version @param {string} least */
function isOlder(version, least) {
  const have = version.split('.').map(Number);
  const want = least.split('.').map(Number);
  for (let i = 0; i < want.length; i++) {
    if (have[i] !== want[i]) return have[i] < want[i];
  }
  return false;
}
