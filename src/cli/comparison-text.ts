import type {
  ComparisonView,
  Disagreement,
  DisagreementsView,
  MeanView,
  PairComparisonView,
  ShareView,
} from '../core/comparison.ts';
import { table } from './terminal.ts';

/** Comparisons as people read them. */

/** Below so many scores drift is mostly chance. */
const FEW_SCORES = 200;
const NANOS_PER_USD = 1e9;

export function comparisonText({ model, stable, agreeBy, pairs }: ComparisonView): string {
  const title = `${model}: answers beside ${stable}, agreement by ${agreeBy}`;
  if (pairs.length === 0) return `${title}\nNothing was compared yet: set a shadow's weight, or comparison.mirrorPercent.`;
  const blocks = [title, table(HEAD, pairs.map(rowOf))];
  const outputs = pairs.flatMap((pair) => outputRows(pair));
  if (outputs.length > 0) blocks.push('', table(OUTPUT_HEAD, outputs));
  const few = pairs.some(({ outputs: all }) => all.some(({ drift }) => drift !== null && isFew(drift)));
  if (few) blocks.push('', `~ fewer than ${FEW_SCORES} scores of one side: mostly chance.`);
  return blocks.join('\n');
}

export function disagreementsText({ model, seen, disagreements }: DisagreementsView): string {
  if (seen === 0) return `${model}: no answers disagreed.`;
  const rows = disagreements.map((each) => [
    new Date(each.atMs).toISOString(),
    each.variant,
    each.requestId,
    each.tenant,
    each.answeredBy,
    each.kind,
    each.output,
    placeOf(each),
    each.maxDifference.toPrecision(3),
  ]);
  const head = [
    'time',
    'variant',
    'request',
    'tenant',
    'answered by',
    'differs in',
    'output',
    'stable → variant',
    'largest difference',
  ];
  return `${model}: ${disagreements.length} of ${seen} disagreements\n${table(head, rows)}`;
}

const HEAD = [
  'variant',
  'role',
  'compared',
  'incomparable',
  'dropped',
  'agree %',
  '95 %',
  'failed %',
  "stable's",
  'time ×',
  '95 %',
  'cost $/1000',
  'stable',
];

function rowOf(pair: PairComparisonView): string[] {
  const { agreement, failures, latencyRatio, costNano, costDifferenceNano } = pair;
  const perThousand = (nano: number): string => ((nano / NANOS_PER_USD / costDifferenceNano.count) * 1_000).toFixed(4);
  const costs = costDifferenceNano.count === 0 ? ['-', '-'] : [perThousand(costNano.variant), perThousand(costNano.stable)];
  return [
    pair.variant,
    pair.role,
    String(agreement.of),
    String(pair.incomparable),
    String(pair.dropped),
    ...shareCells(agreement),
    percent(failures.variant),
    percent(failures.stable),
    ...ratioCells(latencyRatio),
    ...costs,
  ];
}

const OUTPUT_HEAD = ['variant', 'output', 'pairs', 'argmax %', 'top k %', 'outside %', 'mean diff', 'max diff', 'PSI', 'JS'];

function outputRows({ variant, outputs }: PairComparisonView): string[][] {
  return outputs.map(({ output, pairs, argmax, topk, outside, meanDifference, maxDifference, drift }) => [
    variant,
    output,
    String(pairs),
    percent(argmax),
    percent(topk),
    percent(outside),
    meanDifference.toPrecision(3),
    maxDifference.toPrecision(3),
    ...(drift === null
      ? ['-', '-']
      : [drift.psi, drift.jensenShannon].map((figure) => `${isFew(drift) ? '~' : ''}${figure.toFixed(3)}`)),
  ]);
}

const isFew = (drift: { readonly stableScores: number; readonly variantScores: number }): boolean =>
  Math.min(drift.stableScores, drift.variantScores) < FEW_SCORES;

const percent = ({ share, of }: ShareView): string => (of === 0 ? '-' : (share * 100).toFixed(2));

function shareCells(share: ShareView): string[] {
  return [percent(share), share.of === 0 ? '-' : `${(share.low * 100).toFixed(2)}-${(share.high * 100).toFixed(2)}`];
}

function ratioCells({ count, mean, low, high }: MeanView): string[] {
  if (count < 2) return ['-', '-'];
  return [mean.toFixed(2), `${low.toFixed(2)}-${high.toFixed(2)}`];
}

function placeOf({ kind, row, stableArgmax, variantArgmax }: Disagreement): string {
  if (kind === 'exact' || kind === 'shape' || stableArgmax < 0) return '-';
  return `${stableArgmax} → ${variantArgmax} in row ${row}`;
}
