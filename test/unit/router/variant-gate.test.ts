import { describe, expect, it } from 'vitest';
import { admitTo, leaveFrom } from '../../../src/router/variant-gate.ts';
import { variantOf } from './fakes.ts';

describe('the gate of a variant', () => {
  it('admits as many calls as the variant takes and again after one has left', () => {
    const variant = variantOf('v1', 'stable', 2);
    expect([admitTo(variant), admitTo(variant), admitTo(variant)]).toEqual([true, true, false]);
    leaveFrom(variant);
    expect(admitTo(variant)).toBe(true);
    expect(variant.state.inFlight).toBe(2);
  });

  it.each(['warming', 'mismatched'] as const)('admits nobody while the variant is %s', (is) => {
    const variant = variantOf('v1');
    variant.state.readiness = { is, reason: 'test' };
    expect(admitTo(variant)).toBe(false);
    expect(variant.state.inFlight).toBe(0);
  });

  it('counts refusals as attempts, so that a dead canary does not look idle', () => {
    const variant = variantOf('v1', 'stable', 1);
    admitTo(variant);
    admitTo(variant);
    variant.state.readiness = { is: 'warming', reason: 'test' };
    admitTo(variant);
    expect(variant.state.attempts).toBe(3);
  });

  it('lets in no more after a place was given back twice', () => {
    const variant = variantOf('v1', 'stable', 1);
    leaveFrom(variant);
    leaveFrom(variant);
    expect([admitTo(variant), admitTo(variant)]).toEqual([true, false]);
  });
});
