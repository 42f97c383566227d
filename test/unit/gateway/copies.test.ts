import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/core/faults.ts';
import { Ruling } from '../../../src/core/guard.ts';
import { basisPoints } from '../../../src/core/units.ts';
import { World, type WorldOptions } from './world.ts';

const always = { sample: basisPoints(10_000) };
const toCanary: WorldOptions = { canaryBp: 10_000, mirrors: always };
const toStable: WorldOptions = { canaryBp: 0, mirrors: { ...always, watchedPerSecond: 1_000, isWatched: () => true } };

/** Asked, answered with `byte`, and gone. */
function answered(world: World, by: 'stable' | 'canary', byte = 1, fields: Record<string, string> = {}): void {
  const asked = world.begin({ fields });
  world[by].calls.at(-1)!.answer(byte);
  expect(asked.exit.sent).toHaveLength(1);
  world.close(asked);
}

describe('an answered request', () => {
  it('is not of a request that a pin has given to the canary: that is no sample', () => {
    const world = new World({ ...toCanary, pins: [{ tenant: 't', variant: 'v2' }] });
    world.begin();
    world.canary.calls[0]!.answer();
    expect([world.stable.calls.length, world.copied.outcomes]).toEqual([0, []]);
  });

  it('of a canary is asked of stable as well, after its answer has left, and billed to nobody', () => {
    const world = new World(toCanary);
    const asked = world.begin();
    expect(world.stable.calls).toHaveLength(0);
    world.canary.calls[0]!.answer(1);
    expect([asked.exit.sent.length, world.stable.calls.length]).toEqual([1, 1]);
    world.close(asked);
    world.stable.calls[0]!.answer(1);
    world.expectNothingHeld();
    expect(world.copied.outcomes).toEqual(['mirror v2 stable agreed']);
    expect(world.copied.pairs).toEqual([['m', 'v2', asked.ctx.affinity, false]]);
    expect(world.usage.totals('t')).toMatchObject([{ variant: 'v2', requests: 1, cost: 10n }]);
    expect([world.variants[0].state.attempts, world.attempts]).toEqual([0, ['v2 ']]);
  });

  it('of stable is asked of the canary as well', () => {
    const world = new World(toStable);
    answered(world, 'stable', 1);
    world.canary.calls[0]!.answer(2);
    expect(world.copied.outcomes).toEqual(['mirror v2 canary disagreed']);
    expect(world.copied.pairs[0]!.slice(0, 2)).toEqual(['m', 'v2']);
    expect(world.copied.pairs[0]![3]).toBe(true);
    const { figures, disagreements } = world.copied.book.report('m', true)[0]!;
    expect(figures).toMatchObject({ disagreed: 1, toVariant: { ended: 1, failed: 0 }, toStable: { ended: 0, failed: 0 } });
    expect(disagreements.items[0]).toMatchObject({ tenant: 't', variant: 'v2', answeredBy: 'v1', kind: 'exact', output: 'y' });
    expect(disagreements.items[0]!.stableOutputs[0]).toMatchObject({ name: 'y', sizeBytes: 1, base64: '' });
  });

  it('is compared with stable as stable, whichever of the two was asked first', () => {
    const world = new World(toCanary);
    answered(world, 'canary', 2);
    world.stable.calls[0]!.answer(1);
    const { figures } = world.copied.book.report('m', false)[0]!;
    // Booked at 10; the other's price is given as 7 here.
    expect(figures).toMatchObject({ toStable: { ended: 1 }, stableCostNano: 7, variantCostNano: 10 });
  });

  it.each<[string, Record<string, string>, Partial<WorldOptions>]>([
    ['belongs to a sequence', { sequence: 's1' }, {}],
    ['named its variant', { version: 'v2' }, {}],
    ['has several answers', {}, { decoupled: true }],
  ])('is asked of nobody else when it %s', (_what, fields, more) => {
    const world = new World({ ...toCanary, ...more });
    const asked = world.begin({ fields });
    world.canary.calls[0]?.answer(1);
    expect([world.stable.calls.length, world.copied.outcomes]).toEqual([0, []]);
    world.close(asked);
  });

  it('is asked of nobody else when it was answered from the cache, or not at all', () => {
    const world = new World({ ...toCanary, cacheTtlMs: 1_000 });
    answered(world, 'canary', 1);
    world.stable.calls[0]!.answer(1);
    world.close(world.begin());
    expect([world.canary.calls.length, world.stable.calls.length]).toEqual([1, 1]);
    const failed = world.begin({ body: 'other' });
    world.canary.calls[1]!.fail(Fault.BackendFailed, true);
    world.close(failed);
    expect(world.stable.calls).toHaveLength(1);
  });

  it('is asked of nobody else when stable has answered in place of its canary', () => {
    const world = new World(toCanary);
    const asked = world.begin();
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.stable.calls[0]!.answer(1);
    expect([world.canary.calls.length, world.stable.calls.length]).toEqual([1, 1]);
    world.close(asked);
  });

  it('takes only spare room, and blames nobody when the other fails or is not ready', () => {
    const world = new World({ ...toCanary, maxInFlight: 1 });
    answered(world, 'canary', 1);
    // The one place of stable is taken by the first mirror.
    answered(world, 'canary', 1);
    expect(world.copied.outcomes).toEqual(['mirror v2 stable dropped']);
    world.stable.calls[0]!.fail(Fault.BackendFailed, true);
    expect(world.copied.outcomes[1]).toBe('mirror v2 stable failed');
    expect(world.variants[0].state).toMatchObject({ attempts: 0, failures: 0, lastFault: '' });
    world.variants[0].state.readiness = { is: 'warming', reason: 'test' };
    answered(world, 'canary', 1);
    expect(world.copied.outcomes).toHaveLength(2);
    expect(world.copied.pairs).toEqual([]);
  });

  it('is compared as its backend answered it, whatever guards have made of that', () => {
    const world = new World({
      ...toCanary,
      outputGuards: {
        policy: 'g',
        inspect: (inspection) => {
          inspection.tensors[0] = { ...inspection.tensors[0]!, data: new Uint8Array([0]) };
          return Ruling.Rewrite;
        },
      },
    });
    answered(world, 'canary', 5);
    world.stable.calls[0]!.answer(5);
    expect(world.copied.outcomes).toEqual(['mirror v2 stable agreed']);
  });
});
