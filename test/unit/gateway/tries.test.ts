import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EndpointSet } from '../../../src/core/endpoints.ts';
import { Fault, GatewayError } from '../../../src/core/faults.ts';
import { CallOutcome, type Turn } from '../../../src/core/gate.ts';
import type { ModelContract } from '../../../src/core/signature.ts';
import type { Variant } from '../../../src/core/traffic.ts';
import { FairQueue } from '../../../src/limits/fair-queue.ts';
import { RetryBudget } from '../../../src/limits/retry-budget.ts';
import { VariantGate } from '../../../src/limits/variant-gate.ts';
import { patient } from '../../support/call-fakes.ts';
import { FakePartCodec } from '../../support/request-fakes.ts';
import { codeOf, type HandBackend, World, type WorldOptions } from './world.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Endpoints that all take calls. */
const endpointsOf = (...names: readonly string[]): EndpointSet => ({
  views: () => [],
  hasOther: (endpoint) => names.some((name) => name !== endpoint),
});

/** Gives a variant two endpoints. */
function spread(variant: Variant, backend: HandBackend): void {
  backend.endpoints = ['a', 'b'];
  variant.state.endpoints = endpointsOf('a', 'b');
}

/** A world whose stable has two endpoints. */
function worldOf(options: WorldOptions = {}): World {
  const world = new World(options);
  spread(world.variants[0], world.stable);
  return world;
}

describe('a try that failed', () => {
  it('is followed by one at another endpoint, at once', () => {
    const world = worldOf();
    const asked = world.begin();
    world.stable.calls[0]!.fail(Fault.BackendUnreachable, true);
    expect(world.stable.calls.map(({ endpoint, options }) => [endpoint, options.avoid])).toEqual([
      ['a', ''],
      ['b', 'a'],
    ]);
    world.stable.calls[1]!.answer();
    expect([codeOf(asked), asked.ctx.attempts]).toEqual(['', 2]);
    expect(world.attempts).toEqual(['v1 BACKEND_UNREACHABLE', 'v1 ']);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('is followed by no more than config allows', () => {
    for (const [maxRetries, calls] of [
      [0, 1],
      [1, 2],
      [3, 4],
    ] as const) {
      const world = worldOf({ calls: patient({ maxRetries }) });
      const asked = world.begin();
      for (let i = 0; i < 10 && !world.stable.calls.at(-1)!.over; i++)
        world.stable.calls.at(-1)!.fail(Fault.BackendUnreachable, false);
      expect([codeOf(asked), world.stable.calls.length]).toEqual(['BACKEND_UNREACHABLE', calls]);
    }
  });

  it('is the last when the budget is spent', () => {
    const world = worldOf({ calls: patient({ budget: new RetryBudget({ share: 0.1, perSecond: 0 }) }) });
    const codes = Array.from({ length: 40 }, () => {
      const asked = world.begin();
      world.stable.calls.at(-1)!.fail(Fault.BackendUnreachable, false);
      if (!world.stable.calls.at(-1)!.over) world.stable.calls.at(-1)!.answer();
      return codeOf(asked);
    });
    expect(codes.filter((code) => code === '')).toHaveLength(4);
    expect(world.stable.calls).toHaveLength(44);
  });

  it('costs the budget nothing where no call was made', () => {
    const world = new World({ canaryBp: 10_000, calls: patient({ budget: new RetryBudget({ share: 0, perSecond: 0 }) }) });
    world.canary.endpoints = [];
    const asked = world.begin();
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.stable.calls[0]!.answer();
    expect(codeOf(asked)).toBe('');
  });

  it('is tried at the same place after a moment where there is no other, unless that place says no', () => {
    const world = new World();
    const asked = world.begin();
    world.stable.calls[0]!.fail(Fault.BackendUnreachable, true);
    expect(world.stable.calls).toHaveLength(1);
    vi.advanceTimersByTime(25);
    world.stable.calls[1]!.answer();
    expect([codeOf(asked), world.stable.calls[1]!.options.avoid]).toEqual(['', '']);
    const refusing = world.begin();
    world.stable.calls[2]!.fail(Fault.BackendUnreachable, true, -1);
    expect(codeOf(refusing)).toBe('BACKEND_UNREACHABLE');
  });

  it('waits as long as the backend asks, and not beyond the deadline', () => {
    const world = new World();
    const asked = world.begin();
    world.stable.calls[0]!.fail(Fault.BackendUnreachable, true, 300);
    vi.advanceTimersByTime(299);
    expect(world.stable.calls).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(world.stable.calls).toHaveLength(2);
    world.stable.calls[1]!.answer();
    expect(codeOf(asked)).toBe('');
    const late = world.begin();
    world.stable.calls[2]!.fail(Fault.BackendUnreachable, true, 5_000);
    expect([codeOf(late), late.ctx.retryAfterMs]).toEqual(['BACKEND_UNREACHABLE', 5_000]);
  });

  it('may take its own time and no more, and then another endpoint is asked', () => {
    const world = worldOf({ calls: patient({ tryTimeoutMs: 200 }) });
    const asked = world.begin();
    expect(world.stable.calls[0]!.options.timeoutMs).toBe(200);
    world.clock.advance(200);
    world.stable.calls[0]!.fail(Fault.BackendTimeout, true);
    expect(world.stable.calls[1]!.options).toMatchObject({ timeoutMs: 200, avoid: 'a' });
    world.stable.calls[1]!.answer();
    expect(codeOf(asked)).toBe('');
    const slow = new World({ calls: patient({ tryTimeoutMs: 200 }) });
    const waited = slow.begin();
    slow.stable.calls[0]!.fail(Fault.BackendTimeout, true);
    // The only place there is is slow: asking it again would make it slower.
    expect([codeOf(waited), slow.stable.calls.length]).toEqual(['BACKEND_TIMEOUT', 1]);
  });

  it.each([Fault.BackendRefused, Fault.BackendFailed, Fault.BackendLied, Fault.BackendBusy])(
    'is not repeated after %o',
    (kind) => {
      const world = worldOf();
      const asked = world.begin();
      world.stable.calls[0]!.fail(kind, true);
      expect([codeOf(asked), world.stable.calls.length]).toEqual([kind.code, 1]);
    },
  );

  it('is not repeated for a sequence', () => {
    const world = worldOf();
    const asked = world.begin({ fields: { sequence: 's' } });
    world.stable.calls[0]!.fail(Fault.BackendUnreachable, false);
    expect([codeOf(asked), world.stable.calls.length]).toEqual(['BACKEND_UNREACHABLE', 1]);
  });

  it('of a canary goes to its other endpoint first when there is a try left for stable', () => {
    const world = new World({ canaryBp: 10_000, calls: patient({ maxRetries: 2 }) });
    spread(world.variants[1], world.canary);
    const asked = world.begin();
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.canary.calls[1]!.fail(Fault.BackendUnreachable, false);
    world.stable.calls[0]!.answer();
    expect([codeOf(asked), world.canary.calls.length, asked.ctx.answeredBy!.name]).toEqual(['', 2, 'v1']);
  });

  it('of a named canary stays with it', () => {
    const world = new World({ canaryBp: 10_000 });
    spread(world.variants[1], world.canary);
    const asked = world.begin({ fields: { version: 'v2' } });
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.canary.calls[1]!.fail(Fault.BackendUnreachable, false);
    expect([codeOf(asked), world.stable.calls.length]).toEqual(['BACKEND_UNREACHABLE', 0]);
  });

  it('of a canary that lives where stable does is followed by one of stable at that address', () => {
    const world = new World({ canaryBp: 10_000 });
    const asked = world.begin();
    expect(world.canary.endpoints).toEqual(world.stable.endpoints);
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, true);
    expect([world.stable.calls[0]!.options.avoid, world.stable.calls[0]!.endpoint]).toEqual(['', 'hand']);
    world.stable.calls[0]!.answer();
    expect([codeOf(asked), asked.ctx.answeredBy!.name]).toEqual(['', 'v1']);
  });

  it('of a canary whose door shuts before the next is followed by one of stable, wherever it lives', () => {
    const world = new World({ canaryBp: 10_000, calls: patient({ maxRetries: 2 }) });
    spread(world.variants[1], world.canary);
    world.stable.endpoints = ['a'];
    const asked = world.begin();
    world.variants[1].state.readiness = { is: 'lost', reason: 'all are out' };
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    expect([world.canary.calls.length, world.stable.calls.map(({ endpoint }) => endpoint)]).toEqual([1, ['a']]);
    world.stable.calls[0]!.answer();
    expect([codeOf(asked), asked.ctx.answeredBy!.name]).toEqual(['', 'v1']);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('never began where its backend threw, and its place is given back', async () => {
    const world = new World();
    world.variants[0].backend.open = () => {
      throw new Error('bug');
    };
    const asked = world.begin();
    await new Promise(process.nextTick);
    expect([codeOf(asked), world.lost.splice(0), world.attempts]).toEqual(['BUG', [new Error('bug')], ['v1 BUG']]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('never began for a client that has left meanwhile, and its place is given back all the same', async () => {
    const world = new World();
    world.variants[0].backend.open = () => {
      throw new Error('bug');
    };
    const asked = world.begin();
    world.front.gone(asked.ctx);
    await new Promise(process.nextTick);
    expect([codeOf(asked), world.lost.splice(0).length]).toEqual(['CLIENT_GONE', 1]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('is not waited for by a client that has left', () => {
    const world = new World();
    const asked = world.begin();
    world.stable.calls[0]!.fail(Fault.BackendUnreachable, true);
    world.front.gone(asked.ctx);
    vi.advanceTimersByTime(100);
    expect(world.stable.calls).toHaveLength(1);
    world.close(asked);
    world.expectNothingHeld();
  });
});

describe('a call that takes long', () => {
  const hedging = (): WorldOptions => ({ calls: patient({ hedge: { delayMs: 50, note: () => undefined } }) });

  it('gets another beside it, and the first answer of the two is taken', () => {
    const world = worldOf(hedging());
    const asked = world.begin();
    vi.advanceTimersByTime(50);
    expect(world.stable.calls.map(({ endpoint }) => endpoint)).toEqual(['a', 'b']);
    world.stable.calls[1]!.answer(2);
    expect([codeOf(asked), asked.ctx.prediction!.outputs[0]!.data[0]]).toEqual(['', 2]);
    expect(world.stable.calls[0]!.cancelled).toBe(true);
    world.close(asked);
    world.expectNothingHeld();
    expect(world.variants[0].state.failures).toBe(0);
  });

  it('tells the gate how long it was waited for when its client leaves or its time is over, and nothing when it failed', () => {
    const told = (end: (world: World, asked: ReturnType<World['begin']>) => void): unknown[] => {
      const world = new World({ calls: patient({ maxRetries: 0 }) });
      const leave = vi.spyOn(world.variants[0].gate, 'leave');
      const asked = world.begin();
      world.clock.advance(30);
      end(world, asked);
      return leave.mock.calls[0]!;
    };
    expect(told((world, { ctx }) => world.front.gone(ctx))).toEqual([CallOutcome.Cut, 30_000]);
    expect(told((world) => world.stable.calls[0]!.fail(Fault.DeadlineOver, true))).toEqual([CallOutcome.Cut, 30_000]);
    expect(told((world) => world.stable.calls[0]!.fail(Fault.BackendFailed, true))).toEqual([CallOutcome.Other, 0]);
    expect(told((world) => world.stable.calls[0]!.fail(Fault.BackendBusy, true))).toEqual([CallOutcome.Overloaded, 0]);
  });

  it('still answers when the other fails, and the other way round', () => {
    for (const [failing, answering] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const world = worldOf(hedging());
      const asked = world.begin();
      vi.advanceTimersByTime(50);
      world.stable.calls[failing]!.fail(Fault.BackendFailed, true);
      expect(asked.exit.sent).toEqual([]);
      world.stable.calls[answering]!.answer();
      expect([codeOf(asked), world.stable.calls.length]).toEqual(['', 2]);
      world.close(asked);
      world.expectNothingHeld();
    }
  });

  it('is left alone when it answers in time, in a sequence, with one endpoint, and where the budget is spent', () => {
    const quick = worldOf(hedging());
    quick.begin();
    quick.stable.calls[0]!.answer();
    const sequence = worldOf(hedging());
    sequence.begin({ fields: { sequence: 's' } });
    const lone = new World(hedging());
    lone.begin();
    const poor = worldOf({
      calls: patient({ hedge: { delayMs: 50, note: () => undefined }, budget: new RetryBudget({ share: 0, perSecond: 0 }) }),
    });
    poor.begin();
    vi.advanceTimersByTime(100);
    expect([quick, sequence, lone, poor].map(({ stable }) => stable.calls.length)).toEqual([1, 1, 1, 1]);
    expect(poor.variants[0].gate.inFlight).toBe(1);
  });

  it('gets none beside it where the other endpoint has gone meanwhile, and spends no budget on it', () => {
    const take = vi.fn(() => true);
    const world = worldOf({
      calls: patient({ hedge: { delayMs: 50, note: () => undefined }, budget: { requested: () => undefined, take } }),
    });
    world.begin();
    world.variants[0].state.endpoints = endpointsOf('a');
    vi.advanceTimersByTime(50);
    expect([world.stable.calls.length, take.mock.calls.length]).toEqual([1, 0]);
  });

  it('says nothing of how long calls take once there are two of it', () => {
    const note = vi.fn();
    const world = worldOf({ calls: patient({ hedge: { delayMs: 50, note } }) });
    world.begin();
    vi.advanceTimersByTime(50);
    world.stable.calls[0]!.fail(Fault.BackendFailed, true);
    world.stable.calls[1]!.answer();
    expect(note).not.toHaveBeenCalled();
    world.begin();
    world.stable.calls[2]!.answer();
    expect(note).toHaveBeenCalledOnce();
  });

  it('is cancelled with the other when the client leaves', () => {
    const world = worldOf(hedging());
    const asked = world.begin();
    vi.advanceTimersByTime(50);
    world.front.gone(asked.ctx);
    expect(world.stable.calls.map(({ cancelled }) => cancelled)).toEqual([true, true]);
    world.close(asked);
    world.expectNothingHeld();
  });
});

describe('a variant that is full', () => {
  const lined = (maxEntries = 10): WorldOptions => ({
    gate: (clock) => {
      const setAlarm = (ms: number, ring: () => void) => {
        const timer = setTimeout(ring, ms);
        return () => clearTimeout(timer);
      };
      const queue = new FairQueue<Turn>({ clock, setAlarm, maxEntries, maxAgeMs: 100 });
      return new VariantGate({ clock, maxInFlight: 1, adaptive: null, queue });
    },
  });

  it('has its requests stand in line, and calls the next when one has stopped', () => {
    const world = new World(lined());
    const [first, second] = [world.begin({ body: 'a' }), world.begin({ body: 'b' })];
    expect([world.stable.calls.length, world.variants[0].gate.waiting]).toEqual([1, 1]);
    world.stable.calls[0]!.answer();
    expect([codeOf(first), world.stable.calls.length, world.variants[0].gate.waiting]).toEqual(['', 2, 0]);
    world.stable.calls[1]!.answer();
    expect(codeOf(second)).toBe('');
    for (const each of [first, second]) world.close(each);
    world.expectNothingHeld();
  });

  it('refuses at once when its line is full, and later whoever waited too long', () => {
    const world = new World(lined(1));
    const asked = ['a', 'b', 'c'].map((body) => world.begin({ body }));
    expect([asked.map(codeOf), asked[2]!.ctx.retryAfterMs]).toEqual([['', '', 'OVERLOADED'], 1_000]);
    world.clock.advance(100);
    vi.advanceTimersByTime(100);
    expect(asked.map(codeOf)).toEqual(['', 'OVERLOADED', 'OVERLOADED']);
    world.stable.calls[0]!.answer();
    for (const each of asked) world.close(each);
    world.expectNothingHeld();
  });

  it('forgets who left its line, and who is called after its variant was taken out is refused', () => {
    const world = new World(lined());
    const asked = ['a', 'b', 'c'].map((body) => world.begin({ body }));
    world.front.gone(asked[1]!.ctx);
    expect(world.variants[0].gate.waiting).toBe(1);
    world.variants[0].state.readiness = { is: 'unloaded', reason: 'by hand' };
    world.stable.calls[0]!.answer();
    expect([asked.map(codeOf), world.stable.calls.length]).toEqual([['', 'CLIENT_GONE', 'NO_VARIANT'], 1]);
    for (const each of asked) world.close(each);
    world.expectNothingHeld();
  });

  it('blames nobody for a deadline that passes in its line, and counts as failing all the same', () => {
    const world = new World(lined());
    const [first, second] = [world.begin({ body: 'a' }), world.begin({ body: 'b' })];
    for (const each of [second, first]) world.lifecycle.abort(each.ctx, false);
    expect([first, second].map(codeOf)).toEqual(['BACKEND_TIMEOUT', 'DEADLINE_OVER']);
    expect([world.attempts, world.variants[0].state.failures]).toEqual([['v1 OVERLOADED', 'v1 BACKEND_TIMEOUT'], 2]);
    for (const each of [first, second]) world.close(each);
    world.expectNothingHeld();
  });

  it('does not count as failing those who grant too little time to stand in line', () => {
    const world = new World(lined());
    const asked = [world.begin({ body: 'a' }), world.begin({ body: 'b' })];
    world.clock.advance(1_000);
    for (const { ctx } of [...asked].reverse()) {
      ctx.deadlineIsCallers = true;
      world.lifecycle.abort(ctx, false);
    }
    expect(asked.map(codeOf)).toEqual(['DEADLINE_OVER', 'DEADLINE_OVER']);
    expect([world.attempts, world.variants[0].state.failures]).toEqual([['v1 DEADLINE_OVER', 'v1 DEADLINE_OVER'], 0]);
    for (const each of asked) world.close(each);
    world.expectNothingHeld();
  });

  it('tells of the deadline and not of its line when both are over', () => {
    const world = new World(lined());
    const asked = [world.begin({ body: 'a' }), world.begin({ body: 'b' })];
    world.clock.advance(1_000);
    world.stable.calls[0]!.fail(Fault.BackendFailed, true);
    expect(asked.map(codeOf)).toEqual(['BACKEND_FAILED', 'DEADLINE_OVER']);
    for (const each of asked) world.close(each);
    world.expectNothingHeld();
  });

  it('sends those in its line to stable at once when it is taken out of traffic, and refuses them where there is no other', () => {
    const world = new World({ canaryBp: 10_000, ...lined() });
    const asked = ['a', 'b'].map((body) => world.begin({ body }));
    const named = world.begin({ fields: { version: 'v2' } });
    const [stable, canary] = world.variants;
    expect(canary.gate.waiting).toBe(2);
    canary.state.readiness = { is: 'unloaded', reason: 'by hand' };
    canary.gate.dismiss();
    expect([world.canary.calls.length, world.stable.calls.length, canary.gate.waiting, codeOf(named)]).toEqual([
      1,
      1,
      0,
      'NO_VARIANT',
    ]);
    expect(stable.gate.inFlight).toBe(1);
    world.canary.calls[0]!.answer();
    world.stable.calls[0]!.answer();
    expect(asked.map(codeOf)).toEqual(['', '']);
    for (const each of [...asked, named]) world.close(each);
    world.expectNothingHeld();
  });

  it('lets a decoupled model hold its place until its last answer', () => {
    const world = new World({ ...lined(), decoupled: true, codec: FakePartCodec });
    const [first, second] = [world.begin({ body: 'a' }), world.begin({ body: 'b' })];
    world.stable.calls[0]!.part(1);
    first.exit.parts[0]!.taken();
    expect(world.stable.calls).toHaveLength(1);
    world.stable.calls[0]!.end();
    expect(world.stable.calls).toHaveLength(2);
    world.stable.calls[1]!.end();
    for (const each of [first, second]) world.close(each);
    world.expectNothingHeld();
  });
});

describe('an answer that is judged aside', () => {
  const hedge = { delayMs: 50, note: () => undefined };
  const settled = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(0));

  it('is no reason for a hedge, however long it takes', async () => {
    const ruling = Promise.withResolvers<string>();
    const world = worldOf({ calls: patient({ hedge }), contract: { lie: () => ruling.promise } });
    const asked = world.begin();
    world.stable.calls[0]!.answer();
    await vi.advanceTimersByTimeAsync(100);
    expect(world.stable.calls).toHaveLength(1);
    ruling.resolve('');
    await settled();
    expect([codeOf(asked), world.attempts]).toEqual(['', ['v1 ']]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('leaves it to the other of two calls when nobody has the room to judge it', async () => {
    const rulings = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const given = rulings.values();
    const world = worldOf({ calls: patient({ hedge }), contract: { lie: () => given.next().value!.promise } });
    const asked = world.begin();
    await vi.advanceTimersByTimeAsync(60);
    for (const call of world.stable.calls) call.answer();
    rulings[0]!.reject(new GatewayError(Fault.Overloaded, 'Full.'));
    await settled();
    expect(asked.exit.sent).toEqual([]);
    rulings[1]!.resolve('');
    await settled();
    expect([codeOf(asked), world.attempts]).toEqual(['', ['v1 OVERLOADED', 'v1 ']]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('is no fault of the backend when the deadline passes meanwhile', async () => {
    const ruling = Promise.withResolvers<string>();
    const world = worldOf({ contract: { lie: () => ruling.promise } });
    const asked = world.begin();
    world.stable.calls[0]!.answer();
    world.lifecycle.abort(asked.ctx, false);
    ruling.resolve('');
    await settled();
    expect([codeOf(asked), world.variants[0].state.failures, world.attempts]).toEqual(['DEADLINE_OVER', 0, ['v1 ']]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('that lied leaves the blame for the deadline to the other of two calls', async () => {
    const ruling = Promise.withResolvers<string>();
    const world = worldOf({ calls: patient({ hedge }), contract: { lie: () => ruling.promise } });
    const asked = world.begin();
    await vi.advanceTimersByTimeAsync(60);
    world.stable.calls[0]!.answer();
    ruling.resolve('output "y" is missing');
    await settled();
    world.lifecycle.abort(asked.ctx, false);
    expect([codeOf(asked), world.attempts]).toEqual(['BACKEND_TIMEOUT', ['v1 BACKEND_LIED', 'v1 BACKEND_TIMEOUT']]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('is waited for no more when the client has left', async () => {
    const cancelled: string[] = [];
    const lie: ModelContract['lie'] = (_asked, _prediction, waiting) =>
      new Promise((_resolve, reject) => {
        waiting.call = {
          cancel: () => {
            cancelled.push('job');
            reject(new GatewayError(Fault.ClientGone));
          },
        };
      });
    const world = worldOf({ contract: { lie } });
    const asked = world.begin();
    world.stable.calls[0]!.answer();
    world.front.gone(asked.ctx);
    await settled();
    expect([cancelled, codeOf(asked), world.attempts]).toEqual([['job'], 'CLIENT_GONE', ['v1 CLIENT_GONE']]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('leaves the other of two calls as easy to cancel as any', async () => {
    const ruling = Promise.withResolvers<string>();
    const job = { cancel: () => undefined };
    const lie: ModelContract['lie'] = (_asked, _prediction, waiting) => {
      waiting.call = job;
      return ruling.promise.finally(() => {
        waiting.call = null;
      });
    };
    const world = worldOf({ calls: patient({ hedge }), contract: { lie } });
    const asked = world.begin();
    await vi.advanceTimersByTimeAsync(60);
    world.stable.calls[0]!.answer();
    ruling.resolve('output "y" is missing');
    await settled();
    expect([codeOf(asked), world.stable.calls.length]).toEqual(['', 2]);
    world.front.gone(asked.ctx);
    expect([world.stable.calls[1]!.cancelled, codeOf(asked)]).toEqual([true, 'CLIENT_GONE']);
    world.close(asked);
    world.expectNothingHeld();
  });
});
