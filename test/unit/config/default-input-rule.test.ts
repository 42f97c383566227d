import { expect, it } from 'vitest';
import { DEFAULT_INPUT_RULE } from '../../../src/config/default-input-rule.ts';
import { inputRule } from '../../../src/config/model-schema.ts';

it('says the same as the schema about an input that config does not name', () => {
  expect(DEFAULT_INPUT_RULE).toEqual(inputRule.parse({}));
});
