import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault, GatewayError } from '../../../src/core/faults.ts';
import type { NanoUsd } from '../../../src/core/units.ts';
import { type Asked, codeOf, FREE, type HandCall, MAX_CACHED_BYTES, World } from './world.ts';

const settled = (): Promise<void> => new Promise(setImmediate);

describe('a request through the gateway', () => {
  it('is answered by its backend, books its cost and gives back all it held', () => {
    const world = new World();
    const asked = world.begin();
    expect([world.bytes.usedBytes, world.processCap.inFlight, world.variants[0].gate.inFlight]).toEqual([2, 1, 1]);
    world.stable.calls[0]!.answer();
    expect(asked.exit.sent).toHaveLength(1);
    const headers = asked.exit.sent[0]!.headers;
    expect(headers[headers.indexOf('x-sluice-cost-nano-usd') + 1]).toBe('10');
    world.close(asked);
    world.expectNothingHeld();
    expect(world.finished).toEqual([asked.ctx]);
    expect(world.usage.totals('t')).toMatchObject([{ requests: 1, cost: 10n }]);
  });

  it('goes to stable once when its canary cannot be reached, and counts the failed attempt', () => {
    const world = new World({ canaryBp: 10_000 });
    const asked = world.begin();
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.stable.calls[0]!.answer();
    expect([codeOf(asked), asked.ctx.answeredBy?.name]).toEqual(['', 'v1']);
    expect(world.attempts).toEqual(['v2 BACKEND_UNREACHABLE', 'v1 ']);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('is not tried again when the backend may have begun, when stable fails too, or when the caller named the variant', () => {
    const begun = new World({ canaryBp: 10_000 });
    const first = begun.begin();
    begun.canary.calls[0]!.fail(Fault.BackendFailed, true);
    expect([codeOf(first), begun.stable.calls.length]).toEqual(['BACKEND_FAILED', 0]);
    const both = new World({ canaryBp: 10_000 });
    const second = both.begin();
    both.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    both.stable.calls[0]!.fail(Fault.BackendUnreachable, false);
    expect([codeOf(second), both.stable.calls.length]).toEqual(['BACKEND_UNREACHABLE', 1]);
    const named = new World({ canaryBp: 10_000 });
    named.variants[1].state.readiness = { is: 'warming', reason: 'cold' };
    const third = named.begin({ fields: { version: 'v2' } });
    // The fake codec takes the version from the match.
    expect(codeOf(third)).toBe('NO_VARIANT');
  });

  it('passes on how long the backend asks its callers to wait, and only of the try that decided', () => {
    const world = new World({ canaryBp: 10_000 });
    const waitOf = ({ exit }: Asked): string | undefined => {
      const { headers } = exit.sent[0]!;
      return headers[headers.indexOf('retry-after') + 1];
    };
    const busy = world.begin();
    world.canary.calls[0]!.fail(Fault.BackendBusy, true, 6_200);
    expect([codeOf(busy), waitOf(busy)]).toEqual(['BACKEND_BUSY', '7']);
    const both = world.begin();
    world.canary.calls[1]!.fail(Fault.BackendUnreachable, false, 60_000);
    world.stable.calls[0]!.fail(Fault.BackendUnreachable, false, 2_000);
    expect([codeOf(both), waitOf(both)]).toEqual(['BACKEND_UNREACHABLE', '2']);
    const saved = world.begin();
    world.canary.calls[2]!.fail(Fault.BackendUnreachable, false, 60_000);
    world.stable.calls[1]!.answer();
    expect([codeOf(saved), saved.exit.sent[0]!.headers.includes('retry-after')]).toEqual(['', false]);
    for (const each of [busy, both, saved]) world.close(each);
    world.expectNothingHeld();
  });

  it('goes to stable when its canary is cold or full', () => {
    const cold = new World({ canaryBp: 10_000 });
    cold.variants[1].state.readiness = { is: 'mismatched', reason: 'shape' };
    cold.begin();
    expect([cold.stable.calls.length, cold.attempts]).toEqual([1, ['v2 NO_VARIANT']]);
    const full = new World({ canaryBp: 10_000, maxInFlight: 1 });
    full.begin({ body: 'a' });
    full.begin({ body: 'b' });
    expect([full.canary.calls.length, full.stable.calls.length]).toEqual([1, 1]);
    const refused = full.begin({ body: 'c' });
    expect([codeOf(refused), refused.ctx.retryAfterMs > 0]).toEqual(['OVERLOADED', true]);
  });

  it('stays on its canary when it is part of a sequence, whose state stable does not have', () => {
    const world = new World({ canaryBp: 10_000 });
    const asked = world.begin({ fields: { sequence: 's1' } });
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    expect([codeOf(asked), world.stable.calls.length]).toEqual(['BACKEND_UNREACHABLE', 0]);
    world.variants[1].state.readiness = { is: 'warming', reason: 'cold' };
    const cold = world.begin({ fields: { sequence: 's1' } });
    expect([codeOf(cold), world.stable.calls.length]).toEqual(['NO_VARIANT', 0]);
    for (const each of [asked, cold]) world.close(each);
    world.expectNothingHeld();
  });

  it('shows its backend another sequence id than the one its caller chose', () => {
    const world = new World();
    const asked = world.begin({ fields: { sequence: 's1' } });
    expect(world.stable.calls[0]!.request.params.get('sequence_id')).toMatch(/^[\w-]{43}$/);
    expect(asked.ctx.request!.sequenceId).toBe('s1');
    world.stable.calls[0]!.answer();
    world.close(asked);
    world.expectNothingHeld();
  });

  it('is refused when the answer does not fit the signature', () => {
    const world = new World({ contract: { lie: () => 'output "y" is missing' } });
    const asked = world.begin();
    world.stable.calls[0]!.answer();
    expect([codeOf(asked), asked.ctx.faultDetail]).toEqual(['BACKEND_LIED', 'output "y" is missing']);
    expect(world.variants[0].state.failures).toBe(1);
  });

  it('waits where its bytes, and those of its answer, are judged aside', async () => {
    const rulings = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
    const world = new World({ contract: { refusal: () => rulings[0].promise, lie: () => rulings[1].promise } });
    const asked = world.begin();
    expect(world.stable.calls).toHaveLength(0);
    rulings[0].resolve('');
    await settled();
    world.stable.calls[0]!.answer();
    expect(asked.ctx.prediction).toBeNull();
    rulings[1].resolve('');
    await settled();
    expect([codeOf(asked), asked.ctx.answeredBy?.name, world.attempts]).toEqual(['', 'v1', ['v1 ']]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('is refused by what is found aside, and asks no backend when its client has left meanwhile', async () => {
    const ruling = Promise.withResolvers<string>();
    const world = new World({ contract: { refusal: () => ruling.promise } });
    const [asked, left] = [world.begin(), world.begin()];
    world.front.gone(left.ctx);
    ruling.resolve('input "x": value 3 is too large');
    await settled();
    expect([codeOf(asked), codeOf(left), world.stable.calls.length]).toEqual(['BAD_REQUEST', 'CLIENT_GONE', 0]);
    for (const each of [asked, left]) world.close(each);
    world.expectNothingHeld();
  });

  it('notes one end of a call that fails behind an answer which is still judged aside', async () => {
    const ruling = Promise.withResolvers<string>();
    const world = new World({ contract: { lie: () => ruling.promise } });
    const asked = world.begin();
    const call = world.stable.calls[0]!;
    expect(call.part(1)).toBe(true);
    call.fail(Fault.BackendFailed, true);
    ruling.resolve('');
    await settled();
    expect([codeOf(asked), world.attempts]).toEqual(['BACKEND_FAILED', ['v1 BACKEND_FAILED']]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('blames no variant for an answer that nobody had the room to judge', async () => {
    const full = (): Promise<string> => Promise.reject(new GatewayError(Fault.Overloaded, 'Full.'));
    const world = new World({ contract: { lie: full } });
    const asked = world.begin();
    world.stable.calls[0]!.answer();
    await settled();
    expect([codeOf(asked), asked.ctx.faultDetail, world.attempts]).toEqual(['OVERLOADED', 'Full.', ['v1 OVERLOADED']]);
    expect(world.variants[0].state.failures).toBe(0);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('is refused when the bytes in flight are too many or the body is too large', () => {
    const world = new World();
    world.begin({ body: 'a', bytes: 500 });
    world.begin({ body: 'b', bytes: 400 });
    expect(codeOf(world.begin({ body: 'c', bytes: 200 }))).toBe('OVERLOADED');
    expect(codeOf(world.begin({ body: 'd', bytes: 501 }))).toBe('BODY_TOO_LARGE');
  });

  it('cancels its call when its client leaves, and its place is free only when the backend has stopped', () => {
    const world = new World();
    const asked = world.begin();
    world.front.gone(asked.ctx);
    expect(world.stable.calls[0]!.cancelled).toBe(true);
    expect(asked.exit.sent).toHaveLength(0);
    world.close(asked);
    world.expectNothingHeld();
    expect(codeOf(asked)).toBe('CLIENT_GONE');
  });
});

describe('an answer that the protocol of its caller has no words for', () => {
  const speechless = { fields: { speechless: 'yes' } };

  it('is refused and costs nothing, and what can be said costs what it did', () => {
    const world = new World();
    const [refused, answered] = [world.begin(speechless), world.begin(speechless)];
    world.stable.calls[0]!.answer(9);
    world.stable.calls[1]!.answer(8);
    expect([codeOf(refused), refused.ctx.faultDetail, Number(refused.ctx.cost)]).toEqual(['NOT_SUPPORTED', 'no word for 9', 0]);
    expect(refused.exit.sent[0]!.status).toBe(501);
    expect([codeOf(answered), Number(answered.ctx.cost)]).toEqual(['', 10]);
    expect(world.usage.totals('t')).toMatchObject([{ requests: 2, failures: 1, cost: 10n }]);
    for (const each of [refused, answered]) world.close(each);
    world.expectNothingHeld();
  });

  it('is given all the same to others who asked for it in another protocol, then or later', () => {
    const world = new World({ cacheTtlMs: 1_000 });
    const [leader, follower, other] = [world.begin(speechless), world.begin(), world.begin(speechless)];
    world.stable.calls[0]!.answer(9);
    const later = [world.begin(), world.begin(speechless)];
    const asked = [leader, follower, other, ...later];
    expect(asked.map((each) => [codeOf(each), Number(each.ctx.cost)])).toEqual([
      ['NOT_SUPPORTED', 0],
      ['', 1],
      ['NOT_SUPPORTED', 0],
      ['', 1],
      ['NOT_SUPPORTED', 0],
    ]);
    expect(world.stable.calls).toHaveLength(1);
    for (const each of asked) world.close(each);
    world.expectNothingHeld();
  });
});

describe('an answer whose strings are looked through aside', () => {
  const slowly = (found: Promise<string>) => {
    const world = new World({ cacheTtlMs: 1_000, answerCheck: { refusal: () => found } });
    const asked = world.begin({ fields: { speechless: 'yes' } });
    world.stable.calls[0]!.answer(9);
    expect([asked.exit.sent.length, world.usage.totals('t')]).toEqual([0, []]);
    return { world, asked };
  };

  it('is told, refused, or given up for want of room when they have been, and costs only when it is told', async () => {
    const full = (): Promise<string> => Promise.reject(new GatewayError(Fault.Overloaded, 'Full.'));
    for (const [find, code, cost] of [
      [() => Promise.resolve(''), '', 10],
      [() => Promise.resolve('no words'), 'NOT_SUPPORTED', 0],
      [full, 'OVERLOADED', 0],
    ] as const) {
      const { world, asked } = slowly(find());
      await settled();
      expect([codeOf(asked), Number(asked.ctx.cost), asked.exit.sent.length]).toEqual([code, cost, 1]);
      expect(world.usage.totals('t')).toMatchObject([{ requests: 1, failures: code === '' ? 0 : 1 }]);
      world.close(asked);
      world.expectNothingHeld();
    }
  });

  it('is booked once when its client leaves meanwhile', async () => {
    const found = Promise.withResolvers<string>();
    const { world, asked } = slowly(found.promise);
    world.front.gone(asked.ctx);
    world.close(asked);
    found.resolve('');
    await settled();
    expect(asked.exit.sent).toHaveLength(0);
    expect(world.usage.totals('t')).toMatchObject([{ requests: 1 }]);
    world.expectNothingHeld();
  });
});

describe('tokens', () => {
  it('are counted and billed where they have a price', () => {
    const world = new World({ price: { ...FREE, perInputToken: 100 as NanoUsd } });
    const asked = world.begin({ body: 'twelve bytes' });
    world.stable.calls[0]!.answer();
    // Ten for the request and a hundred for each four bytes of text.
    expect([asked.ctx.usage.inputTokens, Number(asked.ctx.cost)]).toEqual([3, 310]);
    world.close(asked);
    world.expectNothingHeld();
  });
});

describe('equal misses', () => {
  const shared = (): World => new World({ cacheTtlMs: 1_000 });

  it('share one call and one answer, each at the price of a hit but the first', () => {
    const world = shared();
    const asked = [world.begin(), world.begin(), world.begin({ body: 'other' })];
    expect(world.stable.calls).toHaveLength(2);
    world.stable.calls[0]!.answer(7);
    expect(asked.map(({ ctx }) => [ctx.cacheResult, Number(ctx.cost)])).toEqual([
      ['miss', 10],
      ['shared', 1],
      ['miss', 0],
    ]);
    const later = world.begin();
    expect(later.ctx.cacheResult).toBe('hit');
    world.stable.calls[1]!.answer();
    for (const each of [...asked, later]) world.close(each);
    world.expectNothingHeld();
  });

  it('share how long the backend asks them to wait', () => {
    const world = shared();
    const asked = [world.begin(), world.begin()];
    world.stable.calls[0]!.fail(Fault.BackendBusy, true, 5_000);
    expect(asked.map(({ ctx }) => ctx.retryAfterMs)).toEqual([5_000, 5_000]);
    for (const each of asked) world.close(each);
    world.expectNothingHeld();
  });

  it('share a fault of the backend, but not what concerned the first alone', () => {
    const failing = shared();
    const both = [failing.begin(), failing.begin()];
    failing.stable.calls[0]!.fail(Fault.BackendFailed, true);
    expect(both.map(codeOf)).toEqual(['BACKEND_FAILED', 'BACKEND_FAILED']);
    const late = shared();
    const [first, second] = [late.begin(), late.begin()];
    late.stable.calls[0]!.fail(Fault.BackendTimeout, true);
    expect([codeOf(first), codeOf(second), late.stable.calls.length]).toEqual(['BACKEND_TIMEOUT', '', 2]);
    late.stable.calls[1]!.answer();
    expect(second.ctx.cacheResult).toBe('miss');
    for (const each of [...both]) failing.close(each);
    for (const each of [first, second]) late.close(each);
    failing.expectNothingHeld();
    late.expectNothingHeld();
  });

  it('are kept under the variant that answered after a fallback', () => {
    const world = new World({ cacheTtlMs: 1_000, canaryBp: 10_000 });
    const first = world.begin();
    world.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    world.stable.calls[0]!.answer();
    const second = world.begin();
    expect([second.ctx.cacheResult, world.canary.calls.length]).toEqual(['miss', 2]);
    world.canary.calls[1]!.answer();
    for (const each of [first, second]) world.close(each);
    world.expectNothingHeld();
  });
});

describe('a request too large for the cache', () => {
  it('is asked anew each time, and shares with nobody', () => {
    const world = new World({ cacheTtlMs: 1_000 });
    const body = 'x'.repeat(MAX_CACHED_BYTES + 1);
    const both = [world.begin({ body }), world.begin({ body })];
    for (const call of world.stable.calls) call.answer();
    expect(both.map(({ ctx }) => ctx.cacheResult)).toEqual(['bypass', 'bypass']);
    expect(world.stable.calls).toHaveLength(2);
    for (const each of both) world.close(each);
    world.expectNothingHeld();
  });
});

describe('any mix of requests', () => {
  it('leaves nothing held when all have ended, however they end', () => {
    const step = fc.oneof(
      fc.record({ is: fc.constant('begin' as const), body: fc.constantFrom('a', 'b'), bytes: fc.constantFrom(1, 200, 501) }),
      fc.record({ is: fc.constantFrom('answer' as const, 'fail' as const, 'unreachable' as const), call: fc.nat(9) }),
      fc.record({ is: fc.constantFrom('gone' as const, 'close' as const), asked: fc.nat(9) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(0, 5_000, 10_000), (steps, canaryBp) => {
        const world = new World({ cacheTtlMs: 1_000, canaryBp, maxInFlight: 2 });
        const asked: Asked[] = [];
        const calls = (): HandCall[] => [...world.canary.calls, ...world.stable.calls];
        for (const each of steps) {
          if (each.is === 'begin') asked.push(world.begin(each));
          else if ('asked' in each) {
            const one = asked[each.asked];
            if (one === undefined) continue;
            if (each.is === 'gone') world.front.gone(one.ctx);
            else world.close(one);
          } else {
            const call = calls()[each.call];
            if (each.is === 'answer') call?.answer();
            else call?.fail(each.is === 'fail' ? Fault.BackendFailed : Fault.BackendUnreachable, each.is === 'fail');
          }
        }
        // Hand-overs begin new calls while old ones end.
        for (let round = 0; round < 50; round++) for (const call of calls()) call.answer();
        for (const each of asked) world.close(each);
        world.expectNothingHeld();
        expect(world.finished).toHaveLength(asked.length);
        for (const { exit } of asked) expect(exit.sent.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1_500, seed: 11 },
    );
  });
});
