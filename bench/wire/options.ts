/** What the command line of `bench:wire` says. */

import { parseArgs } from 'node:util';

export const ENGINES = ['own', 'grpc-js'] as const;
export type Engine = (typeof ENGINES)[number];

export interface WireOptions {
  readonly rows: readonly string[];
  /** Of the gateway, for the rows that are measured with each. */
  readonly engines: readonly Engine[];
  readonly rounds: number;
  /** A round, for each side. */
  readonly calls: number;
  /** Of the files in bench/results; empty where nothing is written. */
  readonly name: string;
}

const LEAST_CALLS = 1_000;

/** Throws an Error that says how it is to be called. */
export function readWireOptions(args: readonly string[], rowIds: readonly string[]): WireOptions {
  const usage = `npm run bench:wire -- [--rows ${rowIds.join(',')}] [--engines ${ENGINES.join(',')}] [--rounds N] [--calls N] [--name NAME]`;
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string' },
      engines: { type: 'string', default: ENGINES.join(',') },
      rounds: { type: 'string', default: '5' },
      calls: { type: 'string', default: '30000' },
      name: { type: 'string' },
    },
  });
  const wrong = (what: string): never => {
    throw new Error(`${what}\nUsage: ${usage}`);
  };
  const chosen = <T extends string>(option: string, text: string, all: readonly T[]): readonly T[] => {
    const words = text.split(',');
    const strange = words.find((word) => !(all as readonly string[]).includes(word));
    if (strange !== undefined) wrong(`--${option}: found "${strange}"; expected some of ${all.join(', ')}.`);
    return all.filter((each) => words.includes(each));
  };
  const whole = (option: string, text: string, least: number): number => {
    const value = Number(text);
    if (!(Number.isInteger(value) && value >= least)) wrong(`--${option}: found "${text}"; expected a number from ${least} on.`);
    return value;
  };
  // A run of some rows does not overwrite the figures of all.
  const name = values.name ?? (values.rows === undefined ? 'wire' : '');
  if (!/^[\w.-]{0,64}$/.test(name)) wrong(`--name: found "${name}"; expected letters, digits, ".", "_" or "-".`);
  return {
    rows: chosen('rows', values.rows ?? rowIds.join(','), rowIds),
    engines: chosen('engines', values.engines, ENGINES),
    rounds: whole('rounds', values.rounds, 1),
    calls: whole('calls', values.calls, LEAST_CALLS),
    name,
  };
}
