/**
 * Simulates rollouts with the judge and the steps of the gateway, and fails when more harmless ones are rolled back, or fewer harmful
 * ones, than docs/rollouts.md states. `--write` puts tables and chart there. The same numbers come out on every machine.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { delayChart } from './delay-chart.ts';
import { findings, shortfalls } from './findings.ts';
import { tables } from './tables.ts';

const DOC = new URL('../../docs/rollouts.md', import.meta.url);
const CHART = new URL('../../docs/rollout-delays.svg', import.meta.url);
const BEGIN = '<!-- npm run sim:judge -- --write: begin -->';
const END = '<!-- end -->';

// A thousand harmless rollouts over the four kinds of callers, and a thousand with each size of harm, over kinds and metrics.
const found = findings({ harmless: 250, edge: 60, harm: 84 });
const text = tables(found);
console.log(text);
if (process.argv.includes('--write')) {
  const page = readFileSync(DOC, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error(`found no place for the tables in docs/rollouts.md, expected "${BEGIN}" and "${END}"`);
  writeFileSync(DOC, `${page.slice(0, begin + BEGIN.length)}\n${text}\n${page.slice(end)}`);
  writeFileSync(CHART, delayChart(found));
}
const short = shortfalls(found);
for (const sentence of short) console.error(`not met: ${sentence}`);
process.exitCode = short.length > 0 ? 1 : 0;
