import type { Judgement, MetricJudgement } from '../../core/rollout.ts';

/** A judgement as one sentence for people. */
export function reasonOf(verdict: Judgement['verdict'], metrics: readonly MetricJudgement[]): string {
  if (metrics.length === 0) return 'no metric has a tolerance, so nothing speaks against the canary';
  switch (verdict) {
    case 'harm':
      return metrics
        .filter((one) => one.verdict === 'harm')
        .map(harmText)
        .join('; ');
    case 'good':
      return `within tolerance: ${metrics.map(goodText).join('; ')}`;
    case 'unsure':
      return `not settled yet: ${metrics
        .filter((one) => one.verdict === 'unsure')
        .map(unsureText)
        .join('; ')}`;
    default:
      return verdict satisfies never;
  }
}

function harmText(one: MetricJudgement): string {
  return `${seenText(one)}: ${boundText(one, 'at least', one.low)}, tolerated ${sizeText(one, one.tolerance)} (p = ${one.pValue.toExponential(1)})`;
}

function goodText(one: MetricJudgement): string {
  return `${one.metric} ${boundText(one, 'at most', one.high)}`;
}

function unsureText(one: MetricJudgement): string {
  if (one.requests === 0 && one.metric === 'disagreement') return NO_PAIRS;
  if (one.requests === 0) return `${one.metric}: nothing seen of the canary`;
  return `${seenText(one)}: ${boundText(one, 'perhaps', one.high)}, tolerated ${sizeText(one, one.tolerance)}`;
}

/** It may stay so for ever: of texts and single scores none can. */
const NO_PAIRS =
  "disagreement: no answer could be compared with stable's yet (sluice compare shows what becomes of mirrors; maxDisagreement 1 judges without)";

function seenText(one: MetricJudgement): string {
  const from = `${one.requests.toFixed(0)} ${WHAT[one.metric]} in ${one.cells} cells`;
  switch (one.metric) {
    case 'errors':
      return `errors ${percent(one.canary)} of ${from}, stable ${percent(one.stable)}`;
    case 'disagreement':
      return `disagreement in ${percent(one.canary)} of ${from}`;
    case 'latency':
    case 'cost':
      return `${one.metric} ${times(one.effect)} stable's in ${from}`;
    default:
      return one.metric satisfies never;
  }
}

const WHAT = { errors: 'requests', latency: 'answers', cost: 'answers', disagreement: 'pairs' } as const;

function boundText(one: MetricJudgement, words: string, bound: number): string {
  return `${words} ${sizeText(one, bound)}`;
}

function sizeText(one: MetricJudgement, size: number): string {
  switch (one.metric) {
    case 'errors':
      return `${percent(size)} more`;
    case 'disagreement':
      return percent(size);
    case 'latency':
    case 'cost':
      return times(size);
    default:
      return one.metric satisfies never;
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function times(effect: number): string {
  return `${(1 + effect).toFixed(2)} times`;
}
