import { z } from 'zod';
import type { ComparisonView, DisagreementsView } from '../core/comparison.ts';
import { DATATYPES } from '../core/datatype.ts';

/** Answers of the admin API that tell how variants answer beside stable. */

const text = z.string();
const whole = z.int().min(0);
const number = z.number();

const share = z
  .object({ count: whole, of: whole, share: number, low: number, high: number })
  .describe('So many of so many, with an interval of 95 % at any one look; the share of nothing is 0.');
const mean = z.object({ count: whole, mean: number, low: number, high: number }).describe('With its interval of 95 %.');
const ofBoth = z.object({ stable: number, variant: number });

const drift = z.object({
  psi: number.describe("Population stability index over stable's deciles: below 0.1 little, above 0.25 much."),
  jensenShannon: number.describe('From 0 for the same scores to 1 for nothing in common.'),
  stableScores: whole,
  variantScores: whole,
});

const output = z.object({
  output: text,
  pairs: whole.describe('Pairs of answers that both had it under one shape.'),
  argmax: share,
  topk: share,
  outside: share.describe('Values beyond the tolerance; of what is compared exactly, pairs that differ.'),
  maxDifference: number,
  meanDifference: number,
  drift: drift.nullable().describe('Null where the output has no scores.'),
});

const pair = z.object({
  variant: text,
  role: text,
  since: z.iso.datetime(),
  agreed: whole,
  disagreed: whole,
  incomparable: whole,
  sampled: whole.describe('Of which only a sample of the values was compared.'),
  agreement: share,
  copies: z.object({ toVariant: share, toStable: share }).describe('Copies sent; those that failed.'),
  dropped: whole.describe('Copies that found no room.'),
  outputs: z.array(output),
  latencyRatio: mean.describe("The variant's call time as a multiple of stable's, by geometric mean."),
  costDifferenceNano: mean.describe('What the variant charges more than stable for the same request, nano-dollars.'),
  costNano: ofBoth,
  failures: z.object({ stable: share, variant: share }).describe('Failures of all calls since the start.'),
});

export const comparisonAnswer = z.object({
  model: text,
  stable: text,
  agreeBy: text,
  pairs: z.array(pair),
}) satisfies z.ZodType<ComparisonView>;

const keptTensor = z.object({
  name: text,
  datatype: z.enum(DATATYPES),
  shape: z.array(whole),
  sizeBytes: whole,
  sha256: text.describe('Of the first 256 KiB, hexadecimal.'),
  base64: text.describe('The first bytes, where the config keeps values and the role may read them; else empty.'),
});

export const disagreementsAnswer = z.object({
  model: text,
  seen: whole.describe('Of how many the sample was taken.'),
  disagreements: z.array(
    z.object({
      requestId: text,
      atMs: whole.describe('Milliseconds since 1970.'),
      tenant: text,
      variant: text,
      answeredBy: text.describe('Whose answer the caller was given.'),
      kind: z.enum(['argmax', 'topk', 'tolerance', 'exact', 'shape']),
      output: text,
      row: z.int(),
      stableArgmax: z.int().describe('Place of the largest value in that row; -1 where there is none.'),
      variantArgmax: z.int(),
      maxDifference: number,
      inputs: z.array(keptTensor),
      stableOutputs: z.array(keptTensor),
      variantOutputs: z.array(keptTensor),
    }),
  ),
}) satisfies z.ZodType<DisagreementsView>;
