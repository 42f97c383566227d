/** What the command line of the benchmark says. */

import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Length of each measured run. */
  readonly seconds: number;
  /** Of the file in bench/results. */
  readonly name: string;
  /** Only cases whose name contains it. */
  readonly only: string;
}

export const USAGE = 'node bench/main.ts [--seconds N] [--name NAME] [--only TEXT]';
/** CPU time is counted in hundredths of a second: shorter runs say little. */
const LEAST_SECONDS = 1;
const MOST_SECONDS = 600;

/** Throws an Error that says how it is to be called. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: { type: 'string' }, name: { type: 'string' }, only: { type: 'string' } },
  });
  const seconds = Number(values.seconds ?? '5');
  if (!(seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS)) {
    throw new Error(`--seconds: found "${values.seconds}"; expected ${LEAST_SECONDS} to ${MOST_SECONDS}.\nUsage: ${USAGE}`);
  }
  const name = values.name ?? new Date().toISOString().slice(0, 10);
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new Error(`--name: found "${name}"; expected letters, digits, ".", "_" or "-".\nUsage: ${USAGE}`);
  }
  return { seconds, name, only: values.only ?? '' };
}
