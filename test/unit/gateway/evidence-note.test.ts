import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/core/faults.ts';
import { FakePartCodec } from '../../support/request-fakes.ts';
import { World } from './world.ts';

describe('the evidence that a request leaves', () => {
  it('is an answer with its time in the backend and its cost where the placed variant has answered', () => {
    const world = new World({ canaryBp: 10_000 });
    world.begin();
    world.clock.advance(7);
    world.canary.calls[0]!.answer();
    expect(world.evidence).toEqual(['v2 answered 7000 10']);
  });

  it('counts against the placed variant where another one had to answer', () => {
    const world = new World({ canaryBp: 10_000 });
    world.begin();
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.stable.calls[0]!.answer();
    expect(world.evidence).toEqual(['v2 failed 0 0']);
  });

  it('counts what its backend did wrong against it, and a deadline that passed while it was waited for', () => {
    const kinds = [Fault.BackendFailed, Fault.BackendLied, Fault.BackendRefused, Fault.BackendTimeout, Fault.DeadlineOver];
    const world = new World({ canaryBp: 10_000 });
    for (const [i, kind] of kinds.entries()) {
      world.begin();
      world.canary.calls[i]!.fail(kind, true);
    }
    // A timeout is tried again by stable, which saves the caller and not the canary.
    for (const call of world.stable.calls) call.answer();
    expect(world.evidence).toEqual(new Array(5).fill('v2 failed 0 0'));
  });

  it.each([
    ['v2', 10_000],
    ['v1', 0],
  ] as const)('is a failure of %s where the client has left while it was waited for', (variant, canaryBp) => {
    const world = new World({ canaryBp });
    const asked = world.begin();
    world.front.gone(asked.ctx);
    world.close(asked);
    expect(world.evidence).toEqual([`${variant} failed 0 0`]);
  });

  it('is a failure where the client has left and others were told what it had asked for', () => {
    const world = new World({ canaryBp: 10_000, cacheTtlMs: 1_000 });
    const asked = world.begin();
    world.begin();
    world.front.gone(asked.ctx);
    world.canary.calls[0]!.answer();
    expect(world.evidence).toEqual(expect.arrayContaining(['v2 failed 0 0', 'v2 cached 0 0']));
  });

  it('is none where the client has left once it was answered', () => {
    const world = new World({ canaryBp: 10_000 });
    const asked = world.begin();
    world.canary.calls[0]!.answer();
    world.front.gone(asked.ctx);
    world.close(asked);
    expect(world.evidence.map((note) => note.split(' ')[1])).toEqual(['answered']);
  });

  it('is none where the caller has chosen the variant', () => {
    const world = new World({ canaryBp: 5_000 });
    world.begin({ fields: { version: 'v2' } });
    world.canary.calls[0]!.answer();
    expect(world.evidence).toEqual([]);
  });

  it('tells hits and shared answers apart from answers of the backend', () => {
    const world = new World({ canaryBp: 10_000, cacheTtlMs: 1_000 });
    world.begin();
    world.begin();
    world.canary.calls[0]!.answer();
    world.begin();
    expect(world.evidence.map((note) => note.split(' ')[1])).toEqual(expect.arrayContaining(['answered', 'cached', 'cached']));
    expect(world.evidence).toHaveLength(3);
  });

  it('fails for all who waited for one answer that did not come', () => {
    const world = new World({ canaryBp: 10_000, cacheTtlMs: 1_000 });
    world.begin();
    world.begin();
    world.canary.calls[0]!.fail(Fault.BackendFailed, true);
    expect(world.evidence).toEqual(['v2 failed 0 0', 'v2 failed 0 0']);
  });

  it('is noted once for several answers, when the last has left', () => {
    const world = new World({ canaryBp: 10_000, decoupled: true, codec: FakePartCodec });
    const asked = world.begin();
    world.canary.calls[0]!.part(1);
    asked.exit.parts[0]!.taken();
    expect(world.evidence).toEqual([]);
    world.canary.calls[0]!.end();
    expect(world.evidence.map((note) => note.split(' ')[1])).toEqual(['answered']);
  });
});
