import type { ComparisonConfig } from '../../config/comparison-schema.ts';

/** What of a model's config says how answers are compared and what is kept of them. */
export type ComparisonPolicy = Pick<
  ComparisonConfig,
  'agreeBy' | 'topK' | 'tolerance' | 'maxElements' | 'keep' | 'tensors' | 'maxKeptBytes'
>;
