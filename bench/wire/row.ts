/** A row of `bench:wire`: what it compares, and what comes of it. */

import type { Pinning } from '../pinning.ts';
import type { FixedBackend } from './nginx.ts';
import type { WireOptions } from './options.ts';

/** What all rows have to work with. */
export interface WireRun extends Pick<WireOptions, 'engines' | 'rounds' | 'calls'> {
  readonly pinning: Pinning;
  readonly backend: FixedBackend;
  /** For files of the run; goes with it. */
  readonly dir: string;
  readonly say: (text: string) => void;
}

export interface Row {
  /** On the command line. */
  readonly id: string;
  /** One result for each thing that has a limit. */
  run(run: WireRun): Promise<readonly RowResult[]>;
}

export interface RowResult {
  readonly id: string;
  readonly name: string;
  /** Of the gateway. */
  readonly engine: string;
  readonly peerName: string;
  /** Of `ours`, `peer` and `added`: microseconds of CPU a call, or milliseconds of latency. */
  readonly unit: 'us' | 'ms';
  /** Medians over the rounds. */
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
  /** What a limit holds for. */
  readonly judged: 'ratio' | 'added';
  /** Null where nothing is asked but the figure. */
  readonly limit: number | null;
  readonly aim: number | null;
  readonly rounds: { readonly ours: readonly number[]; readonly peer: readonly number[] };
  /** Empty when the figures count; else why they do not. */
  readonly voided: string;
}

/** The figures of a row do not count. */
export class VoidRow extends Error {}

/** What is compared with the limit. */
export const judgedOf = ({ judged, ours, peer, ratio }: RowResult): number => (judged === 'ratio' ? ratio : ours - peer);

/** One of those that are compared. */
export interface Side {
  /** Once, alone. Rejects with VoidRow. */
  measure(): Promise<number>;
}

/** Rounds before those that count: V8 makes its best code of what has run a hundred thousand times. */
const WARM_ROUNDS = 4;

/** Figures of each side by round, the sides in turn and each round beginning with another, after rounds that warm everybody up. */
export async function alternate(run: WireRun, sides: readonly Side[]): Promise<number[][]> {
  const figures: number[][] = sides.map(() => []);
  for (let round = 1 - WARM_ROUNDS; round <= run.rounds; round++) {
    for (let i = 0; i < sides.length; i++) {
      const at = (i + round + WARM_ROUNDS - 1) % sides.length;
      const figure = await sides[at]!.measure();
      if (round > 0) figures[at]!.push(figure);
    }
    if (round < 0) continue;
    run.say(
      round === 0 ? 'warm' : `round ${round} of ${run.rounds}: ${figures.map((each) => each.at(-1)!.toFixed(1)).join(' ')}`,
    );
  }
  return figures;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A result of two sides' rounds. */
export function resultOf(
  about: Pick<RowResult, 'id' | 'name' | 'engine' | 'peerName' | 'limit' | 'aim'>,
  ours: readonly number[],
  peer: readonly number[],
): RowResult {
  const [our, their] = [median(ours), median(peer)];
  return {
    ...about,
    unit: 'us',
    ours: our,
    peer: their,
    ratio: our / their,
    judged: 'ratio',
    rounds: { ours, peer },
    voided: '',
  };
}
