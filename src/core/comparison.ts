import type { Datatype } from './datatype.ts';

/** What is known of how a canary or a shadow answers, held against the answers of stable. */

/** So many of so many, with an interval that holds the true share with a chance of 95 % at any one look. */
export interface ShareView {
  readonly count: number;
  readonly of: number;
  /** 0 where nothing was counted. */
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** A mean with its interval of 95 %. */
export interface MeanView {
  readonly count: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** How far the scores of two variants lie apart: the largest value of each row. */
export interface DriftView {
  /** Population stability index over stable's deciles: below 0.1 little, above 0.25 much. */
  readonly psi: number;
  /** Jensen-Shannon divergence over the same groups, from 0 for the same to 1 for nothing in common. */
  readonly jensenShannon: number;
  /** Scores of each; below some hundreds both figures are mostly chance. */
  readonly stableScores: number;
  readonly variantScores: number;
}

export interface OutputComparisonView {
  readonly output: string;
  /** Pairs of answers that both had it under one shape. */
  readonly pairs: number;
  /** Rows of which the largest value stands at the same place; of 0 where nothing is ranked. */
  readonly argmax: ShareView;
  /** Rows of which the topK largest values stand at the same places. */
  readonly topk: ShareView;
  /** Values beyond the tolerance; for integers, truth values and strings: pairs that differ. */
  readonly outside: ShareView;
  /** Of finite values; 0 for what is compared exactly. */
  readonly maxDifference: number;
  readonly meanDifference: number;
  /** Null where the output has no scores. */
  readonly drift: DriftView | null;
}

/** One variant beside stable, over all workers that serve. */
export interface PairComparisonView {
  readonly variant: string;
  readonly role: string;
  /** When the first of the workers began to count. */
  readonly since: string;
  readonly agreed: number;
  readonly disagreed: number;
  /** Answers that have no output in common that could be compared. */
  readonly incomparable: number;
  /** Of which only a sample of the values was compared. */
  readonly sampled: number;
  /** Agreed of those that could be compared. */
  readonly agreement: ShareView;
  /** Copies sent to the variant, and to stable on its behalf; those that failed. */
  readonly copies: { readonly toVariant: ShareView; readonly toStable: ShareView };
  /** Copies that found no room. */
  readonly dropped: number;
  readonly outputs: readonly OutputComparisonView[];
  /** The variant's call time as a multiple of stable's, by geometric mean. */
  readonly latencyRatio: MeanView;
  /** What the variant charges more than stable for the same request, nano-dollars. */
  readonly costDifferenceNano: MeanView;
  readonly costNano: { readonly stable: number; readonly variant: number };
  /** Failures of all calls since the start, copies of shadows included. */
  readonly failures: { readonly stable: ShareView; readonly variant: ShareView };
}

export interface ComparisonView {
  readonly model: string;
  readonly stable: string;
  readonly agreeBy: string;
  readonly pairs: readonly PairComparisonView[];
}

export type DisagreementKind = 'argmax' | 'topk' | 'tolerance' | 'exact' | 'shape';

/** What is kept of one tensor of a disagreement. */
export interface KeptTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly sizeBytes: number;
  /** Of the first 256 KiB, hexadecimal. */
  readonly sha256: string;
  /** The first bytes where policy keeps values; else empty. */
  readonly base64: string;
}

export interface Disagreement {
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly tenant: string;
  readonly variant: string;
  /** Whose answer the caller was given. */
  readonly answeredBy: string;
  readonly kind: DisagreementKind;
  /** Where they differ. */
  readonly output: string;
  readonly row: number;
  /** Place of the largest value in that row; -1 where there is none. */
  readonly stableArgmax: number;
  readonly variantArgmax: number;
  /** Largest difference of finite values of that output. */
  readonly maxDifference: number;
  /** Empty where policy keeps nothing. */
  readonly inputs: readonly KeptTensor[];
  readonly stableOutputs: readonly KeptTensor[];
  readonly variantOutputs: readonly KeptTensor[];
}

export interface DisagreementsView {
  readonly model: string;
  /** Of how many the sample was taken. */
  readonly seen: number;
  /** Newest first. */
  readonly disagreements: readonly Disagreement[];
}

export interface ComparisonControl {
  /** Null when there is no such model. */
  read(model: string): Promise<ComparisonView | null>;
  /** Of one variant, or of all when `variant` is empty. Null when there is no such model or variant. */
  disagreements(model: string, variant: string): Promise<DisagreementsView | null>;
}
