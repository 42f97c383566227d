import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pin } from '../../../src/core/traffic.ts';
import { fallbackAfter } from '../../../src/router/fallbacks.ts';
import { pinnedTo, pinTable } from '../../../src/router/pins.ts';
import { planAfter, withContent } from '../../../src/router/plan-change.ts';
import { planOf } from '../../../src/router/traffic-plan.ts';
import { FakeHead } from '../../support/request-fakes.ts';
import { variantOf } from './fakes.ts';

const variants = [variantOf('v1'), variantOf('v2', 'canary'), variantOf('v3', 'canary')];
const at = (pins: readonly Pin[], tenant: string, fields: Record<string, string>): string =>
  pinnedTo(pinTable(pins, variants), tenant, new FakeHead(fields, 0))?.name ?? '';

const pins: readonly Pin[] = [
  { tenant: 'acme', variant: 'v2' },
  { header: 'x-cohort', value: 'beta', variant: 'v3' },
  { header: 'x-cohort', value: 'safe', variant: 'v1' },
  { header: 'x-lane', value: 'fast', variant: 'v2' },
];

describe('pins', () => {
  it('send a tenant, and requests with one value of a header field, to their variant', () => {
    expect(at(pins, 'acme', {})).toBe('v2');
    expect(at(pins, 'other', { 'x-cohort': 'beta' })).toBe('v3');
    expect(at(pins, 'other', { 'x-cohort': 'safe' })).toBe('v1');
    expect(at(pins, 'other', { 'x-cohort': 'gamma', 'x-lane': 'fast' })).toBe('v2');
    expect([at(pins, 'other', {}), at(pins, 'other', { 'x-cohort': 'Beta' }), at([], 'acme', { 'x-cohort': 'beta' })]).toEqual([
      '',
      '',
      '',
    ]);
  });

  it('let nobody leave the variant of its tenant by a header field', () => {
    expect(at(pins, 'acme', { 'x-cohort': 'beta' })).toBe('v2');
  });

  it('find no variant by words that every object knows', () => {
    for (const word of ['constructor', '__proto__', 'toString']) {
      expect(at(pins, word, { 'x-cohort': word })).toBe('');
    }
  });

  it('are refused where they name what carries no traffic', () => {
    expect(() => pinTable([{ tenant: 'acme', variant: 'v9' }], variants)).toThrow('a pin names "v9", which carries no traffic');
  });
});

const planWith = (fallbacks: readonly string[]) => {
  const members = variants.map((variant, i) => ({ variant, weightBp: i === 0 ? 10_000 : 0 }));
  const plan = planOf({ model: 'm', revision: 1, variants: members, shadows: [] });
  const { revision, weights, slots } = plan;
  return withContent(plan, { revision, weights, slots, pins: [], fallbacks });
};

describe('fallbacks', () => {
  it('are stable alone where nothing else is said, and none for stable itself', () => {
    const plan = planOf({
      model: 'm',
      revision: 1,
      variants: variants.map((variant, i) => ({ variant, weightBp: i === 0 ? 10_000 : 0 })),
      shadows: [],
    });
    const [v1, v2] = plan.variants as typeof variants;
    expect(fallbackAfter(plan, v2!, v2!)?.name).toBe('v1');
    expect([fallbackAfter(plan, v2!, v1!), fallbackAfter(plan, v1!, v1!)]).toEqual([null, null]);
  });

  it('are asked in their order, each once, without the chosen one, whichever that is', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['v1', 'v2', 'v3']), fc.constantFrom('v1', 'v2', 'v3'), (order, name) => {
        const plan = planWith(order);
        const chosen = variants.find((variant) => variant.name === name)!;
        const asked: string[] = [];
        for (let now = fallbackAfter(plan, chosen, chosen); now !== null; now = fallbackAfter(plan, chosen, now))
          asked.push(now.name);
        expect(asked).toEqual(order.filter((other) => other !== name));
      }),
    );
  });

  it('and pins stay as they are while weights change', () => {
    const plan = planAfter(planWith(['v3', 'v1']), { weights: null, pins, fallbacks: null });
    if (Array.isArray(plan)) throw new Error(plan.join());
    const next = planAfter(plan, { weights: new Map([['v2', 5]]), pins: null, fallbacks: null });
    if (Array.isArray(next)) throw new Error(next.join());
    expect([next.revision, next.pins, next.fallbacks.map(({ name }) => name)]).toEqual([3, plan.pins, ['v3', 'v1']]);
  });
});
