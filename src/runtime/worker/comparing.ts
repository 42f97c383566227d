import { costOf } from '../../accounting/cost-meter.ts';
import { estimatedTokens } from '../../accounting/token-estimate.ts';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { EvidenceBook } from '../../core/evidence.ts';
import { Usage } from '../../core/inference.ts';
import { basisPoints } from '../../core/units.ts';
import { ComparisonBook, type SecondAnswer } from '../../router/comparison/comparison-book.ts';
import { SpareTurns } from '../../router/comparison/spare-turns.ts';
import type { Answered } from '../../router/copies/answered.ts';
import { Copies } from '../../router/copies/copies.ts';
import type { MirrorOptions } from '../../router/copies/mirrors.ts';
import type { Log } from '../../telemetry/access-log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

export interface ComparingOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly evidence: Pick<EvidenceBook, 'pair'>;
  /** Whether a rollout watches the model now. */
  readonly isWatched: (model: string) => boolean;
  readonly log: Log;
}

export interface Comparing {
  readonly copies: Copies;
  readonly book: ComparisonBook;
}

/** Copies of answered requests and what is found by them, as config wants them. */
export function buildComparing({ models, shadow }: Config, options: ComparingOptions): Comparing {
  const { clock, metrics, evidence, isWatched, log } = options;
  const policies = Object.fromEntries(Object.entries(models).map(([model, { comparison }]) => [model, comparison]));
  const book = new ComparisonBook({ policies, clock, evidence, costOf: costOfSecond });
  const mirrors = Object.entries(policies).map(([model, policy]): [string, MirrorOptions] => [
    model,
    {
      sample: basisPoints(policy.mirrorPercent),
      watchedSample: basisPoints(policy.watchedMirrorPercent),
      watchedPerSecond: policy.watchedMirrorsPerSecond,
      isWatched: () => isWatched(model),
    },
  ]);
  const copies = new Copies({
    limits: shadow,
    mirrors: Object.fromEntries(mirrors),
    clock,
    turns: new SpareTurns({ nowUs: () => clock.nowUs(), later: (turn) => setImmediate(turn) }),
    compare: (answered, second) => book.compare(answered, second),
    ended: (answered, asked, outcome) => book.ended(answered, asked, outcome),
    onShadow: (model, variant, outcome) => metrics.shadow(model, variant, outcome),
    onMirror: (model, variant, asked, outcome) => metrics.mirror(model, variant, asked, outcome),
    onLost: (error) => log.error('answers not compared', { err: error }),
  });
  return { copies, book };
}

/** By the price of whoever was asked second; nobody is billed for it. */
function costOfSecond({ rows, request }: Answered, { by, prediction }: SecondAnswer): number {
  const { price } = by;
  const usage = new Usage();
  usage.rows = rows;
  usage.computeUs = prediction.computeUs;
  if (price.perInputToken > 0) usage.inputTokens = estimatedTokens(request.inputs);
  if (price.perOutputToken > 0) usage.outputTokens = estimatedTokens(prediction.outputs);
  return costOf(price, usage, false);
}
