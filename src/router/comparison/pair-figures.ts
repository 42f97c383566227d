import type { AnswerComparison } from './answer-comparer.ts';
import { addMoments, type Moments, noMoments } from './moments.ts';
import type { OutputDifference } from './output-comparer.ts';
import { addScore, addSketch, type ScoreSketch } from './score-sketch.ts';

/** Everything counted of one variant beside stable. All of it adds up over workers, and survives a structured clone. */
export interface PairFigures {
  /** When counting began; milliseconds since 1970. */
  sinceMs: number;
  agreed: number;
  disagreed: number;
  incomparable: number;
  sampled: number;
  /** Copies that ended, and of these the failed ones. */
  toVariant: Asked;
  toStable: Asked;
  dropped: number;
  /** By name. */
  readonly outputs: Map<string, OutputFigures>;
  /** Of `ln(variant / stable)` of the call times. */
  readonly latency: Moments;
  /** Of what the variant costs more than stable, nano-dollars. */
  readonly cost: Moments;
  stableCostNano: number;
  variantCostNano: number;
}

export interface Asked {
  ended: number;
  failed: number;
}

export interface OutputFigures {
  pairs: number;
  ranked: number;
  argmaxDiffers: number;
  toppledOf: number;
  toppled: number;
  values: number;
  outside: number;
  finite: number;
  sumDifference: number;
  maxDifference: number;
  readonly stableScores: ScoreSketch;
  readonly variantScores: ScoreSketch;
}

/** A model has some outputs; a server that names new ones in each answer must not fill the memory. */
const MAX_OUTPUTS = 64;

export function noFigures(sinceMs: number): PairFigures {
  return {
    sinceMs,
    agreed: 0,
    disagreed: 0,
    incomparable: 0,
    sampled: 0,
    toVariant: { ended: 0, failed: 0 },
    toStable: { ended: 0, failed: 0 },
    dropped: 0,
    outputs: new Map(),
    latency: noMoments(),
    cost: noMoments(),
    stableCostNano: 0,
    variantCostNano: 0,
  };
}

export function notePair(figures: PairFigures, { agreement, outputs }: AnswerComparison): void {
  figures[agreement]++;
  if (outputs.some(({ partial }) => partial)) figures.sampled++;
  for (const found of outputs) {
    const into = outputOf(figures.outputs, found.output);
    if (into !== null) noteOutput(into, found);
  }
}

/** Adds `from` to `into`. */
export function addFigures(into: PairFigures, from: PairFigures): void {
  into.sinceMs = Math.min(into.sinceMs, from.sinceMs);
  into.agreed += from.agreed;
  into.disagreed += from.disagreed;
  into.incomparable += from.incomparable;
  into.sampled += from.sampled;
  into.toVariant.ended += from.toVariant.ended;
  into.toVariant.failed += from.toVariant.failed;
  into.toStable.ended += from.toStable.ended;
  into.toStable.failed += from.toStable.failed;
  into.dropped += from.dropped;
  addMoments(into.latency, from.latency);
  addMoments(into.cost, from.cost);
  into.stableCostNano += from.stableCostNano;
  into.variantCostNano += from.variantCostNano;
  for (const [name, output] of from.outputs) {
    const same = outputOf(into.outputs, name);
    if (same !== null) addOutput(same, output);
  }
}

/** Null past the bound. */
function outputOf(outputs: Map<string, OutputFigures>, name: string): OutputFigures | null {
  let found = outputs.get(name);
  if (found !== undefined) return found;
  if (outputs.size >= MAX_OUTPUTS) return null;
  found = {
    pairs: 0,
    ranked: 0,
    argmaxDiffers: 0,
    toppledOf: 0,
    toppled: 0,
    values: 0,
    outside: 0,
    finite: 0,
    sumDifference: 0,
    maxDifference: 0,
    stableScores: new Map(),
    variantScores: new Map(),
  };
  outputs.set(name, found);
  return found;
}

function noteOutput(into: OutputFigures, found: OutputDifference): void {
  into.pairs++;
  addCounts(into, found);
  for (const score of found.stableScores) addScore(into.stableScores, score);
  for (const score of found.variantScores) addScore(into.variantScores, score);
}

function addOutput(into: OutputFigures, from: OutputFigures): void {
  into.pairs += from.pairs;
  addCounts(into, from);
  addSketch(into.stableScores, from.stableScores);
  addSketch(into.variantScores, from.variantScores);
}

type Counts = Omit<OutputFigures, 'pairs' | 'stableScores' | 'variantScores'>;

function addCounts(into: Counts, from: Counts): void {
  into.ranked += from.ranked;
  into.argmaxDiffers += from.argmaxDiffers;
  into.toppledOf += from.toppledOf;
  into.toppled += from.toppled;
  into.values += from.values;
  into.outside += from.outside;
  into.finite += from.finite;
  into.sumDifference += from.sumDifference;
  into.maxDifference = Math.max(into.maxDifference, from.maxDifference);
}
