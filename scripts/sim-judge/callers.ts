import { CELLS } from '../../src/core/evidence.ts';
import { Draws } from './draws.ts';

/** Who calls: how often, and how their requests fare with a model that is as it always was. */

export type CallerKind = 'independent' | 'clustered' | 'bursty' | 'drifting';

export const CALLER_KINDS: readonly CallerKind[] = ['independent', 'clustered', 'bursty', 'drifting'];

export const KIND_TEXT: Readonly<Record<CallerKind, string>> = {
  independent: 'no sticky key: each request falls anywhere, all alike',
  clustered:
    '50,000 callers who keep to their side; activity by a Pareto law of shape 1.5; each with a failure share, speed and price of its own',
  bursty: 'the same callers, each silent four fifths of the time and five times as busy in the rest',
  drifting: 'the same callers, while the failure share swings between one and three times and latency by ±40 % for all together',
};

export interface Callers {
  readonly count: number;
  readonly cell: Uint16Array;
  /** In [0, 1): on the canary when its share is larger. */
  readonly place: Float64Array;
  /** Requests per request of the model: they sum to 1. */
  readonly rate: Float64Array;
  readonly failureShare: Float64Array;
  /** Logarithm, on top of what the model takes. */
  readonly slowness: Float64Array;
  /** Times what the model costs. */
  readonly dearness: Float64Array;
  readonly disagreement: Float64Array;
}

const STICKY_CALLERS = 50_000;
const ACTIVITY_SHAPE = 1.5;
const LATENCY_SPREAD = 0.3;
const COST_SPREAD = 0.3;

/** Who they are is the same in all rollouts of one kind; where the hash puts them is drawn anew, since that is what the judge's chance is of. */
export function callersOf(kind: CallerKind, draws: Draws): Callers {
  if (kind === 'independent') return EVEN;
  for (let i = 0; i < STICKY.count; i++) {
    STICKY.cell[i] = Math.floor(draws.uniform() * CELLS);
    STICKY.place[i] = draws.uniform();
  }
  return STICKY;
}

/** One caller a cell who is on both sides: what a hash of each request comes to. */
function evenCallers(): Callers {
  const fill = (value: number): Float64Array => new Float64Array(CELLS).fill(value);
  return {
    count: CELLS,
    cell: Uint16Array.from({ length: CELLS }, (_, i) => i),
    place: fill(0),
    rate: fill(1 / CELLS),
    failureShare: fill(BASE.failures),
    slowness: fill(0),
    dearness: fill(1),
    disagreement: fill(BASE.disagreements),
  };
}

/** What the canary and stable do on average, when they do the same. */
export const BASE = { failures: 0.01, disagreements: 0.01 };

function stickyCallers(draws: Draws): Callers {
  const of = (draw: () => number): Float64Array => Float64Array.from({ length: STICKY_CALLERS }, draw);
  const rate = of(() => draws.pareto(ACTIVITY_SHAPE));
  const sum = rate.reduce((total, one) => total + one, 0);
  return {
    count: STICKY_CALLERS,
    cell: new Uint16Array(STICKY_CALLERS),
    place: new Float64Array(STICKY_CALLERS),
    rate: rate.map((one) => one / sum),
    // A fiftieth of the callers has half of all failures, a twentieth has half of all disagreements.
    failureShare: of(() => (draws.uniform() < 0.02 ? 0.25 : 0.0051)),
    slowness: of(() => LATENCY_SPREAD * draws.normal()),
    dearness: of(() => Math.exp(COST_SPREAD * draws.normal() - COST_SPREAD ** 2 / 2)),
    disagreement: of(() => (draws.uniform() < 0.05 ? 0.1 : 0.0053)),
  };
}

const EVEN = evenCallers();
const STICKY = stickyCallers(new Draws(20_260));
