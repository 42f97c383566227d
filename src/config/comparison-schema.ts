import { z } from 'zod';
import { bytes, count, percent } from './fields.ts';

/** How the answers of canaries and shadows are compared with stable's, and how many are asked for it. */

const tolerance = (absolute: number, relative: number) =>
  z
    .strictObject({
      absolute: z.number().min(0).default(absolute).describe('Difference that is always taken for rounding.'),
      relative: z.number().min(0).default(relative).describe("Further difference, as a share of stable's value."),
    })
    .prefault({});

export const comparison = z.strictObject({
  agreeBy: z
    .enum(['argmax', 'tolerance', 'topk'])
    .default('argmax')
    .describe(
      'argmax: the largest value of every row of the first ranked output stands at the same place; topk: the topK largest values stand at the same places, in any order; tolerance: every output is equal within its tolerance. Without an output to rank the first of integers or truth values is compared exactly.',
    ),
  topK: count.max(100).default(5).describe('How many of the largest values count for top-k agreement.'),
  tolerance: z
    .strictObject({
      FP16: tolerance(1e-3, 1e-2),
      BF16: tolerance(1e-2, 5e-2),
      FP32: tolerance(1e-5, 1e-4),
      FP64: tolerance(1e-8, 1e-7),
    })
    .prefault({})
    .describe('By the coarser datatype of the two answers; integers, truth values and strings must be equal.'),
  maxElements: count
    .max(1_048_576)
    .default(16_384)
    .describe('Values of one output that are compared, some 0.2 ms of the event loop; of larger ones a sample of rows.'),
  mirrorPercent: percent
    .prefault(0)
    .describe(
      'Percent of the requests of a canary that stable is asked too, and as many of stable that the canary is asked too.',
    ),
  watchedMirrorPercent: percent.prefault(10).describe('The same while a rollout watches the model, where that is more.'),
  watchedMirrorsPerSecond: z
    .number()
    .min(0)
    .max(10_000)
    .default(5)
    .describe(
      'Mirrored requests a second in each direction, at least, while a rollout watches the model and as far as there are any.',
    ),
  keep: count
    .max(1_000)
    .default(100)
    .describe('Disagreements of each variant that are kept to be looked at, a fair sample of all.'),
  tensors: z
    .enum(['none', 'hash', 'values'])
    .default('hash')
    .describe(
      'What is kept of the tensors of a disagreement: nothing, names, shapes and SHA-256, or the values as well. Values are shown to security admins alone, and are not taken beside output guards.',
    ),
  maxKeptBytes: bytes
    .max(262_144)
    .default(16_384)
    .describe('Bytes kept of the inputs, of the outputs of stable and of those of the variant, each, where values are kept.'),
});
export type ComparisonConfig = z.output<typeof comparison>;
