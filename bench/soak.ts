/** `npm run soak:wire -- --minutes 10`: the soak of the HTTP/2 engine, its table, and exit code 0 when nothing of it was wrong. */

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { SeededRandom } from '../scripts/models/seeded-random.ts';
import { problemsOf, textOf } from './soak/report.ts';
import { runSoak } from './soak/run-soak.ts';

const USAGE = 'npm run soak:wire -- [--minutes N] [--seed N]';
const MINUTE_MS = 60_000;
/** Less than this goes into periods of a third of a minute. */
const SHORT_MINUTES = 3;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? randomInt(1_000_000));
if (!(minutes > 0 && minutes <= 600 && Number.isInteger(seed))) throw new Error(`Usage: ${USAGE}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const periods = minutes < SHORT_MINUTES ? 3 : Math.round(minutes);
console.log(`seed ${seed}, ${periods} periods of ${((minutes / periods) * 60).toFixed(0)} s`);
const chances = new SeededRandom(seed);
const report = await runSoak({
  periods,
  periodMs: (minutes / periods) * MINUTE_MS,
  random: () => chances.next(),
  say: (line) => console.log(line),
});
console.log(textOf(report));
const problems = problemsOf(report);
for (const problem of problems) console.log(`PROBLEM: ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
