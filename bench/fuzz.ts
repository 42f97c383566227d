/**
 * `npm run fuzz`: a million mutated and generated inputs to every decoder of what strangers send. `npm run fuzz:wire`: as many to the parts
 * of HTTP/2 alone, and to both of its state machines.
 */

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allocationLimit, type FuzzReport, fuzzTarget, LARGEST_BYTES, TIME_LIMIT_MS } from './fuzz/fuzz-target.ts';
import {
  type HostileResult,
  measureHostileBodies,
  measureInlineBodies,
  WORST_INLINE_MS,
  WORST_MS,
} from './fuzz/hostile-bodies.ts';
import { TARGETS, type Target } from './fuzz/targets.ts';

const USAGE = 'node bench/fuzz.ts [--cases N] [--seed N] [--only NAME]';
const DEFAULT_CASES = 1_000_000;
/** Hostile bodies that are listed. */
const SLOWEST = 8;
const MOST_CASES = 1_000_000_000;
const MIB = 1_048_576;
/** Of an input that broke something. */
const MOST_SHOWN_BYTES = 2_000;

const { values } = parseArgs({ options: { cases: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } } });
process.exitCode = fuzz(
  wholeNumber('cases', values.cases, DEFAULT_CASES),
  wholeNumber('seed', values.seed, 1),
  TARGETS.filter((target) => target.name.includes(values.only ?? '')),
);

/** 0 when every decoder held its bounds. */
function fuzz(cases: number, seed: number, targets: readonly Target[]): number {
  if (targets.length === 0)
    throw new Error(`--only: there is ${TARGETS.map((target) => target.name).join(', ')}.\nUsage: ${USAGE}`);
  console.log(
    `${cases} cases, seed ${seed}. Bounds: ${TIME_LIMIT_MS} ms a case of up to ${LARGEST_BYTES} bytes, ` +
      `${allocationLimit(1) - allocationLimit(0)} bytes allocated for each byte of input and ${allocationLimit(0)} beside.`,
  );
  const each = Math.ceil(cases / targets.length);
  const reports = targets.map((target) => told(fuzzTarget(target, each, seed), seed));
  const total = reports.reduce((sum, report) => sum + report.cases, 0);
  const elapsedMs = reports.reduce((sum, report) => sum + report.elapsedMs, 0);
  console.log(`${total} cases in ${(elapsedMs / 1_000).toFixed(1)} s, ${perSecond(total, elapsedMs)} a second.`);
  const isWhole = values.only === undefined;
  const isAnyBad =
    isWhole &&
    [
      tellHostile('bodies of the largest sizes, read in a thread', measureHostileBodies(), WORST_MS),
      tellHostile('bodies small enough for the event loop', measureInlineBodies(), WORST_INLINE_MS),
    ].includes(false);
  return reports.some((report) => report.failure !== null) || isAnyBad ? 1 : 0;
}

/** Tells the slowest, and all that are not as they should be. False when there are such. */
function tellHostile(what: string, results: readonly HostileResult[], worstMs: number): boolean {
  console.log(`${results.length} ${what}, at most ${worstMs} ms each. The slowest:`);
  const perMib = ({ ms, bytes }: HostileResult): string => ((ms * MIB) / bytes).toFixed(1);
  const sorted = [...results].sort((a, b) => b.ms - a.ms);
  for (const result of sorted.slice(0, SLOWEST)) {
    console.log(`  ${result.ms.toFixed(1).padStart(6)} ms, ${perMib(result).padStart(6)} ms a MiB  ${result.name}`);
  }
  const bad = results.filter(({ ms, end, expected }) => ms > worstMs || end !== expected);
  for (const result of bad) console.error(`Not as it should be: ${JSON.stringify(result)}`);
  return bad.length === 0;
}

function told(report: FuzzReport, seed: number): FuzzReport {
  const { name, cases, bytes, elapsedMs, worstMs, worstMsBytes, worstAllocated, worstAllocatedBytes, failure } = report;
  console.log(
    `${name.padEnd(20)} ${String(cases).padStart(8)} cases ${perSecond(cases, elapsedMs).padStart(8)}/s, ` +
      `${(bytes / 1e6).toFixed(0).padStart(4)} MB; worst ${worstMs.toFixed(2)} ms (of ${worstMsBytes} bytes), ` +
      `${(worstAllocated / 1_024).toFixed(0)} KiB allocated (of ${worstAllocatedBytes} bytes)`,
  );
  if (failure !== null) {
    const file = join(tmpdir(), `sluice-fuzz-${name.replace(/\W+/g, '-')}-${failure.case}.bin`);
    writeFileSync(file, failure.input);
    const hex = failure.input.toString('hex', 0, MOST_SHOWN_BYTES);
    console.error(`${name}, seed ${seed}, case ${failure.case}: ${failure.reason}`);
    console.error(`The input, also in ${file}: ${hex}${failure.input.length > MOST_SHOWN_BYTES ? '…' : ''}`);
  }
  return report;
}

function perSecond(cases: number, elapsedMs: number): string {
  return ((cases / elapsedMs) * 1_000).toFixed(0);
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MOST_CASES) return value;
  throw new Error(`--${name}: found "${text}"; expected a whole number from 1 to ${MOST_CASES}.\nUsage: ${USAGE}`);
}
