import type { Clock } from '../../core/clock.ts';
import type { Disagreement } from '../../core/comparison.ts';
import type { EvidenceBook } from '../../core/evidence.ts';
import type { Prediction } from '../../core/inference.ts';
import type { Variant } from '../../core/traffic.ts';
import type { Answered } from '../copies/answered.ts';
import { type Agreement, AnswerComparer, type AnswerComparison } from './answer-comparer.ts';
import { disagreementOf } from './disagreement-note.ts';
import { FairSample, type SampleState } from './fair-sample.ts';
import { note } from './moments.ts';
import { noFigures, notePair, type PairFigures } from './pair-figures.ts';
import type { ComparisonPolicy } from './policy.ts';

/** What a variant answered when it was asked the same. */
export interface SecondAnswer {
  readonly by: Variant;
  readonly prediction: Prediction;
  readonly tookUs: number;
}

/** What one process knows of a variant. Survives a structured clone. */
export interface PairReport {
  readonly model: string;
  readonly variant: string;
  readonly figures: PairFigures;
  readonly disagreements: SampleState<Disagreement>;
}

export interface ComparisonBookOptions {
  /** By model. */
  readonly policies: Readonly<Record<string, ComparisonPolicy>>;
  readonly clock: Clock;
  readonly evidence: Pick<EvidenceBook, 'pair'>;
  /** Nano-dollars that the second answer would have cost. */
  readonly costOf: (answered: Answered, second: SecondAnswer) => number;
}

/** Compares answers and keeps count, for each variant of each model. Memory is bounded by the config. */
export class ComparisonBook {
  readonly #o: ComparisonBookOptions;
  readonly #comparers = new Map<string, AnswerComparer>();
  readonly #pairs = new Map<string, Map<string, Pair>>();

  constructor(options: ComparisonBookOptions) {
    this.#o = options;
    for (const [model, policy] of Object.entries(options.policies)) {
      this.#comparers.set(model, new AnswerComparer(policy));
      this.#pairs.set(model, new Map());
    }
  }

  /** Bounded work. Only pairs of stable and another variant are counted: a shadow may be asked what a canary has answered. */
  compare(answered: Answered, second: SecondAnswer): Agreement {
    const { model, by, stable, requestId } = answered;
    const byStable = by === stable;
    const comparer = this.#comparers.get(model)!;
    const found = byStable
      ? comparer.compare(answered.outputs, second.prediction.outputs)
      : comparer.compare(second.prediction.outputs, answered.outputs);
    if (byStable === (second.by === stable)) return found.agreement;
    const variant = byStable ? second.by : by;
    const pair = this.#pair(model, variant.name);
    this.#count(pair, answered, second, found);
    if (found.agreement === 'disagreed') {
      const { tensors, maxKeptBytes } = this.#o.policies[model]!;
      const atMs = this.#o.clock.wallMs();
      pair.disagreements.offer(requestId, () =>
        disagreementOf(answered, second, { found, atMs, variant: variant.name, tensors, maxKeptBytes }),
      );
    }
    if (variant.role === 'canary' && found.agreement !== 'incomparable') {
      this.#o.evidence.pair(model, variant.name, answered.affinity, found.agreement === 'disagreed');
    }
    return found.agreement;
  }

  /** A copy for `asked` came to an end that gave nothing to compare. */
  ended(answered: Answered, asked: Variant, outcome: 'failed' | 'dropped'): void {
    const toStable = asked === answered.stable;
    // What is no pair with stable would not have been counted if it had ended well.
    if (!toStable && answered.by !== answered.stable) return;
    const { figures } = this.#pair(answered.model, (toStable ? answered.by : asked).name);
    if (outcome === 'dropped') {
      figures.dropped++;
      return;
    }
    const side = toStable ? figures.toStable : figures.toVariant;
    side.ended++;
    side.failed++;
  }

  /** Of one model, or of all when `model` is empty. Of disagreements only their number without `samples`. */
  report(model: string, samples: boolean): readonly PairReport[] {
    const reports: PairReport[] = [];
    for (const [name, pairs] of this.#pairs) {
      if (model !== '' && name !== model) continue;
      for (const [variant, { figures, disagreements }] of pairs) {
        const { seen, items } = disagreements.state;
        reports.push({ model: name, variant, figures, disagreements: { seen, items: samples ? items : [] } });
      }
    }
    return reports;
  }

  #pair(model: string, variant: string): Pair {
    const pairs = this.#pairs.get(model)!;
    let pair = pairs.get(variant);
    if (pair === undefined) {
      const figures = noFigures(this.#o.clock.wallMs());
      pair = { figures, disagreements: new FairSample(this.#o.policies[model]!.keep) };
      pairs.set(variant, pair);
    }
    return pair;
  }

  #count({ figures }: Pair, answered: Answered, second: SecondAnswer, found: AnswerComparison): void {
    const byStable = answered.by === answered.stable;
    notePair(figures, found);
    (byStable ? figures.toVariant : figures.toStable).ended++;
    if (answered.tookUs > 0 && second.tookUs > 0) {
      const ratio = Math.log(second.tookUs / answered.tookUs);
      note(figures.latency, byStable ? ratio : -ratio);
    }
    const cost = this.#o.costOf(answered, second);
    const [stable, variant] = byStable ? [answered.costNano, cost] : [cost, answered.costNano];
    figures.stableCostNano += stable;
    figures.variantCostNano += variant;
    note(figures.cost, variant - stable);
  }
}

interface Pair {
  readonly figures: PairFigures;
  readonly disagreements: FairSample<Disagreement>;
}
