import type { Disagreement, OutputComparisonView, PairComparisonView } from '../../core/comparison.ts';
import type { PairReport } from './comparison-book.ts';
import { driftOf } from './drift.ts';
import { FairSample, type SampleState } from './fair-sample.ts';
import { meanOf, shareOf } from './moments.ts';
import { addFigures, noFigures, type OutputFigures, type PairFigures } from './pair-figures.ts';

/** What several processes know of one model, put together, and as people read it. */

export interface MergedPair {
  readonly model: string;
  readonly variant: string;
  readonly figures: PairFigures;
}

/** In order of name. */
export function mergedFigures(reports: readonly (readonly PairReport[])[]): readonly MergedPair[] {
  const merged: MergedPair[] = [];
  for (const { model, variant, figures } of reports.flat().sort(byName)) {
    const last = merged.at(-1);
    if (last?.model === model && last.variant === variant) addFigures(last.figures, figures);
    else {
      const own = noFigures(figures.sinceMs);
      addFigures(own, figures);
      merged.push({ model, variant, figures: own });
    }
  }
  return merged;
}

/** Of one variant, or of all when `variant` is empty; at most `keep`, the newest first. */
export function mergedSamples(
  reports: readonly (readonly PairReport[])[],
  variant: string,
  keep: number,
): SampleState<Disagreement> {
  const sample = new FairSample<Disagreement>(keep);
  for (const report of reports.flat()) {
    if (variant === '' || report.variant === variant) sample.add(report.disagreements);
  }
  const { seen, items } = sample.state;
  return { seen, items: [...items].sort((a, b) => b.atMs - a.atMs) };
}

/** What is known of both from elsewhere: calls and failures of all of their work. */
export interface Calls {
  readonly attempts: number;
  readonly failures: number;
}

export function pairView(
  name: { readonly variant: string; readonly role: string },
  figures: PairFigures,
  calls: { readonly stable: Calls; readonly variant: Calls },
): PairComparisonView {
  const { sinceMs, agreed, disagreed, incomparable, sampled, toVariant, toStable, dropped, stableCostNano, variantCostNano } =
    figures;
  const logRatio = meanOf(figures.latency);
  return {
    ...name,
    since: new Date(sinceMs).toISOString(),
    agreed,
    disagreed,
    incomparable,
    sampled,
    agreement: shareOf(agreed, agreed + disagreed),
    copies: { toVariant: shareOf(toVariant.failed, toVariant.ended), toStable: shareOf(toStable.failed, toStable.ended) },
    dropped,
    outputs: [...figures.outputs].map(([output, of]) => outputView(output, of)),
    latencyRatio: {
      count: logRatio.count,
      mean: Math.exp(logRatio.mean),
      low: Math.exp(logRatio.low),
      high: Math.exp(logRatio.high),
    },
    costDifferenceNano: meanOf(figures.cost),
    costNano: { stable: stableCostNano, variant: variantCostNano },
    failures: {
      stable: shareOf(calls.stable.failures, calls.stable.attempts),
      variant: shareOf(calls.variant.failures, calls.variant.attempts),
    },
  };
}

function outputView(output: string, of: OutputFigures): OutputComparisonView {
  return {
    output,
    pairs: of.pairs,
    argmax: shareOf(of.ranked - of.argmaxDiffers, of.ranked),
    topk: shareOf(of.toppledOf - of.toppled, of.toppledOf),
    outside: shareOf(of.outside, of.values),
    maxDifference: of.maxDifference,
    meanDifference: of.finite === 0 ? 0 : of.sumDifference / of.finite,
    drift: driftOf(of.stableScores, of.variantScores),
  };
}

function byName(a: PairReport, b: PairReport): number {
  if (a.model !== b.model) return a.model < b.model ? -1 : 1;
  if (a.variant === b.variant) return 0;
  return a.variant < b.variant ? -1 : 1;
}
