import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fault } from '../../../src/core/faults.ts';
import { RetryBudget } from '../../../src/limits/retry-budget.ts';
import { patient } from '../../support/call-fakes.ts';
import { type Asked, codeOf, World } from './world.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const placed = ({ ctx }: Asked) => [ctx.variant!.name, ctx.byPin, ctx.pinned];

describe('a pin', () => {
  const pins = [{ header: 'x-cohort', value: 'beta', variant: 'v2' }];

  it('sends a request to its variant, which the weights give to nobody', () => {
    const world = new World({ pins });
    expect(placed(world.begin({ fields: { 'x-cohort': 'beta' } }))).toEqual(['v2', true, false]);
    expect(placed(world.begin({ fields: { 'x-cohort': 'alpha' } }))).toEqual(['v1', false, false]);
    expect(placed(new World({ pins: [{ tenant: 't', variant: 'v2' }] }).begin())).toEqual(['v2', true, false]);
  });

  it('gives way to a variant that the caller may ask for', () => {
    const world = new World({ pins });
    expect(placed(world.begin({ fields: { 'x-cohort': 'beta', version: 'v1' } }))).toEqual(['v1', false, true]);
  });

  it('lets answers be kept and found again by all who get that variant, and by no other', () => {
    const world = new World({ pins, cacheTtlMs: 1_000 });
    const first = world.begin({ fields: { 'x-cohort': 'beta' } });
    world.canary.calls[0]!.answer(7);
    world.close(first);
    const second = world.begin({ fields: { 'x-cohort': 'beta' } });
    expect([second.ctx.cacheResult, second.ctx.answeredBy!.name]).toEqual(['hit', 'v2']);
    const other = world.begin();
    expect([other.ctx.cacheResult, world.stable.calls.length]).toEqual(['miss', 1]);
  });

  it('lets a request fall back as one that chance has placed', () => {
    const world = new World({ pins });
    const asked = world.begin({ fields: { 'x-cohort': 'beta' } });
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.stable.calls[0]!.answer();
    expect([codeOf(asked), asked.ctx.answeredBy!.name]).toEqual(['', 'v1']);
  });
});

describe('fallbacks', () => {
  it('let a canary answer for stable where the operator says so', () => {
    const world = new World({ fallbacks: ['v1', 'v2'] });
    const asked = world.begin();
    world.stable.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.canary.calls[0]!.answer();
    expect([codeOf(asked), asked.ctx.variant!.name, asked.ctx.answeredBy!.name]).toEqual(['', 'v1', 'v2']);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('are each tried once, and then the fault stands', () => {
    const world = new World({ canaryBp: 10_000, fallbacks: ['v2', 'v1'], calls: patient({ maxRetries: 0 }) });
    const asked = world.begin();
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.stable.calls[0]!.fail(Fault.BackendUnreachable, false);
    expect([codeOf(asked), world.canary.calls.length, world.stable.calls.length]).toEqual(['BACKEND_UNREACHABLE', 1, 1]);
  });

  it('can be none: then a canary that fails fails its callers', () => {
    const world = new World({ canaryBp: 10_000, fallbacks: [] });
    const asked = world.begin();
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, true);
    vi.advanceTimersByTime(25);
    world.canary.calls[1]!.fail(Fault.BackendUnreachable, true);
    expect([codeOf(asked), world.stable.calls.length]).toEqual(['BACKEND_UNREACHABLE', 0]);
    world.variants[1].state.readiness = { is: 'lost', reason: 'all are out' };
    expect(codeOf(world.begin())).toBe('NO_VARIANT');
  });

  it('pass by a variant that is not ready, and cost the budget where the work may have begun', () => {
    const broke = patient({ budget: new RetryBudget({ share: 0, perSecond: 0 }) });
    const world = new World({ fallbacks: ['v2'], calls: broke });
    const begun = world.begin();
    world.stable.calls[0]!.fail(Fault.BackendFailed, true);
    expect([codeOf(begun), world.canary.calls.length]).toEqual(['BACKEND_FAILED', 0]);
    world.variants[0].state.readiness = { is: 'lost', reason: 'all are out' };
    const asked = world.begin();
    world.canary.calls[0]!.answer();
    expect([codeOf(asked), asked.ctx.answeredBy!.name]).toEqual(['', 'v2']);
  });

  it('are not for a sequence, nor for a caller who named its variant', () => {
    const world = new World({ fallbacks: ['v2'] });
    for (const fields of [{ sequence: 's' }, { version: 'v1' }]) {
      const asked = world.begin({ fields });
      world.stable.calls.at(-1)!.fail(Fault.BackendUnreachable, true, -1);
      expect([codeOf(asked), world.canary.calls.length]).toEqual(['BACKEND_UNREACHABLE', 0]);
    }
  });
});
