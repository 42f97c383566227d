import type { InputRule } from './model-schema.ts';

/** The rule of an input that config does not name: what the schema fills in. Apart from it, since the data plane does without the schema. */
export const DEFAULT_INPUT_RULE: InputRule = Object.freeze({
  min: null,
  max: null,
  nonFinite: 'refuse',
  maxStringBytes: 1_048_576,
  utf8: false,
  allowedValues: null,
});
