import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/context.ts';
import { Fault } from '../../../src/core/faults.ts';
import { type GuardChain, Ruling } from '../../../src/core/guard.ts';
import type { NanoUsd } from '../../../src/core/units.ts';
import { FakePartCodec } from '../../support/request-fakes.ts';
import { type Asked, codeOf, FREE, type HandCall, World, type WorldOptions } from './world.ts';

const PRICED = { ...FREE, perRequest: 7 as NanoUsd };

function worldOf(options: WorldOptions = {}): World {
  return new World({ decoupled: true, codec: FakePartCodec, price: PRICED, ...options });
}

const told = ({ exit }: Asked): number[] => exit.parts.map(({ pieces }) => pieces[0]![0]!);
const ends = ({ exit }: Asked): string[] => exit.ends.map(({ pieces }) => Buffer.concat(pieces).toString());
/** The client has taken the newest part. */
const take = ({ exit }: Asked): void => exit.parts.at(-1)!.taken();

function ask(world: World): { asked: Asked; call: HandCall } {
  const asked = world.begin();
  return { asked, call: world.stable.calls.at(-1)! };
}

/** Writes each part when a test says so. */
class SlowPartCodec extends FakePartCodec {
  static readonly #waiting: (() => void)[] = [];

  static async write(): Promise<void> {
    SlowPartCodec.#waiting.shift()!();
    await new Promise(setImmediate);
  }

  override async encodePart(ctx: RequestContext): Promise<void> {
    await new Promise<void>((resolve) => SlowPartCodec.#waiting.push(resolve));
    super.encodePart(ctx);
    if (ctx.prediction!.outputs[0]!.data[0] === 9) ctx.refuse(Fault.NotSupported, 'no word for 9');
  }
}

describe('answers that are written aside', () => {
  it('are told in their order, and the end behind the last', async () => {
    const world = worldOf({ codec: SlowPartCodec });
    const { asked, call } = ask(world);
    call.part(1);
    call.part(2);
    call.end();
    expect(told(asked)).toEqual([]);
    await SlowPartCodec.write();
    expect(told(asked)).toEqual([1]);
    take(asked);
    expect([told(asked), ends(asked)]).toEqual([[1], []]);
    await SlowPartCodec.write();
    take(asked);
    expect([told(asked), ends(asked)]).toEqual([[1, 2], ['end']]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('end with a fault where one cannot be said', async () => {
    const world = worldOf({ codec: SlowPartCodec });
    const { asked, call } = ask(world);
    call.part(9);
    await SlowPartCodec.write();
    expect([told(asked), codeOf(asked), call.cancelled]).toEqual([[], 'NOT_SUPPORTED', true]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('are told no more when the client leaves while one is written', async () => {
    const world = worldOf({ codec: SlowPartCodec });
    const { asked, call } = ask(world);
    call.part(1);
    world.front.gone(asked.ctx);
    world.close(asked);
    await SlowPartCodec.write();
    expect([told(asked), call.cancelled]).toEqual([[], true]);
    world.expectNothingHeld();
  });
});

describe('several answers to one request', () => {
  it('are told one by one, and no more is asked for than the client takes', () => {
    const world = worldOf();
    const { asked, call } = ask(world);
    expect(call.part(1)).toBe(false);
    expect([told(asked), call.resumed]).toEqual([[1], 0]);
    take(asked);
    expect(call.resumed).toBe(1);
    call.part(2);
    take(asked);
    call.end();
    expect([told(asked), ends(asked), asked.exit.sent]).toEqual([[1, 2], ['end'], []]);
    world.close(asked);
    world.expectNothingHeld();
    expect(world.attempts).toEqual(['v1 ']);
  });

  it('keep back an answer that comes while the client still takes the one before', () => {
    const world = worldOf();
    const { asked, call } = ask(world);
    call.part(1);
    call.part(2);
    call.end();
    expect([told(asked), ends(asked)]).toEqual([[1], []]);
    take(asked);
    expect([told(asked), ends(asked)]).toEqual([[1, 2], []]);
    take(asked);
    expect(ends(asked)).toEqual(['end']);
  });

  it('are booked once, before the end, with the bytes of all', () => {
    const world = worldOf();
    const { asked, call } = ask(world);
    call.part(1);
    expect(world.usage.totals('t')).toEqual([]);
    take(asked);
    call.part(2);
    take(asked);
    call.end();
    expect(world.usage.totals('t')).toMatchObject([{ requests: 1, failures: 0, outputBytes: 2, cost: 7n }]);
    const { headers } = asked.exit.ends[0]!;
    expect(headers[headers.indexOf('x-sluice-cost-nano-usd') + 1]).toBe('7');
    expect(asked.exit.parts[0]!.headers).toContain('x-request-id');
    expect(asked.exit.parts[0]!.headers).not.toContain('x-sluice-cost-nano-usd');
    world.close(asked);
    world.expectNothingHeld();
  });

  it('may be none at all', () => {
    const world = worldOf();
    const { asked, call } = ask(world);
    call.end();
    expect([told(asked), ends(asked), codeOf(asked)]).toEqual([[], ['end'], '']);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('end with the fault of a backend that fails after the first, and what was told is charged', () => {
    const world = worldOf();
    const { asked, call } = ask(world);
    call.part(1);
    take(asked);
    call.fail(Fault.BackendFailed, true);
    expect([ends(asked), asked.exit.sent]).toEqual([['BACKEND_FAILED'], []]);
    expect(world.usage.totals('t')).toMatchObject([{ requests: 1, failures: 1, cost: 7n }]);
    expect(world.attempts).toEqual(['v1 BACKEND_FAILED']);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('go to stable when the canary fails before its first, and not after it', () => {
    const before = worldOf({ canaryBp: 10_000 });
    const first = before.begin();
    before.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    before.stable.calls[0]!.part(1);
    expect([told(first), first.ctx.answeredBy!.name]).toEqual([[1], 'v1']);
    const after = worldOf({ canaryBp: 10_000 });
    const second = after.begin();
    after.canary.calls[0]!.part(1);
    after.canary.calls[0]!.fail(Fault.BackendUnreachable, false);
    expect([ends(second), after.stable.calls.length]).toEqual([['BACKEND_UNREACHABLE'], 0]);
  });

  it('stop at the backend when the client leaves, and are charged as far as they were told', () => {
    const world = worldOf();
    const { asked, call } = ask(world);
    call.part(1);
    world.front.gone(asked.ctx);
    expect([call.cancelled, ends(asked), codeOf(asked)]).toEqual([true, [], 'CLIENT_GONE']);
    expect(world.usage.totals('t')).toMatchObject([{ requests: 1, failures: 1, cost: 7n }]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('stop at the backend when the exchange closes without a word', () => {
    const world = worldOf();
    const { asked, call } = ask(world);
    call.part(1);
    world.close(asked);
    expect(call.cancelled).toBe(true);
    world.expectNothingHeld();
  });

  it('end when the gateway goes down, which refuses whoever has no answer yet', () => {
    const world = worldOf();
    const { asked, call } = ask(world);
    const silent = ask(world);
    call.part(1);
    take(asked);
    world.front.refuseAll(Fault.Draining);
    expect([told(asked), ends(asked), call.cancelled]).toEqual([[1], ['DRAINING'], true]);
    expect([codeOf(silent.asked), silent.asked.exit.sent[0]!.status, silent.call.cancelled]).toEqual(['DRAINING', 503, true]);
    for (const one of [asked, silent.asked]) world.close(one);
    world.expectNothingHeld();
  });

  it('end at the deadline, which is the fault of a backend that was waited for', () => {
    for (const [taken, code] of [
      [true, 'BACKEND_TIMEOUT'],
      [false, 'DEADLINE_OVER'],
    ] as const) {
      const world = worldOf();
      const { asked, call } = ask(world);
      call.part(1);
      if (taken) take(asked);
      world.lifecycle.abort(asked.ctx, false);
      expect([ends(asked), call.cancelled]).toEqual([[code], true]);
      world.close(asked);
      world.expectNothingHeld();
    }
  });

  it('end where a guard blocks one of them, which is not told', () => {
    const guards: GuardChain = {
      policy: 'g',
      inspect: ({ tensors }) => (tensors[0]!.data[0] === 2 ? Ruling.Block : Ruling.Allow),
    };
    const world = worldOf({ outputGuards: guards });
    const { asked, call } = ask(world);
    call.part(1);
    take(asked);
    call.part(2);
    expect([told(asked), ends(asked), call.cancelled]).toEqual([[1], ['GUARD_BLOCKED'], true]);
    const whole = ask(world);
    whole.call.part(2);
    // Nothing was told before, so this is a refusal like any other.
    expect([told(whole.asked), whole.asked.exit.sent[0]!.status]).toEqual([[], 422]);
  });

  it('wait for a guard that judges late, and end when it fails', async () => {
    const rulings = [Promise.resolve(Ruling.Allow), Promise.reject(new Error('broken'))];
    rulings[1]!.catch(() => undefined);
    const world = worldOf({ outputGuards: { policy: 'g', inspect: () => rulings.shift()! } });
    const { asked, call } = ask(world);
    call.part(1);
    expect(told(asked)).toEqual([]);
    await new Promise(setImmediate);
    expect(told(asked)).toEqual([1]);
    take(asked);
    call.part(2);
    await new Promise(setImmediate);
    expect([told(asked), ends(asked), call.cancelled]).toEqual([[1], ['BUG'], true]);
    expect(world.lost).toHaveLength(1);
  });

  it('end with a refusal when one does not fit the signature', () => {
    const world = worldOf({ contract: { lie: (_asked, { outputs }) => (outputs[0]!.data[0] === 2 ? 'no' : '') } });
    const { asked, call } = ask(world);
    call.part(1);
    take(asked);
    call.part(2);
    expect([told(asked), ends(asked), call.cancelled]).toEqual([[1], ['BACKEND_LIED'], true]);
    const first = ask(world);
    first.call.part(2);
    expect([codeOf(first.asked), first.call.cancelled]).toEqual(['BACKEND_LIED', true]);
    for (const one of [asked, first.asked]) world.close(one);
    world.expectNothingHeld();
  });

  it('are kept in no cache and shared with nobody', () => {
    const world = worldOf({ cacheTtlMs: 1_000 });
    const first = ask(world);
    const second = ask(world);
    expect(world.stable.calls).toHaveLength(2);
    first.call.part(1);
    second.call.part(2);
    expect([told(first.asked), told(second.asked), first.asked.ctx.cacheResult]).toEqual([[1], [2], 'bypass']);
  });

  it('are refused to a protocol that can tell one only, and nothing is asked', () => {
    const world = new World({ decoupled: true });
    const asked = world.begin();
    expect([codeOf(asked), world.stable.calls.length]).toEqual(['NOT_SUPPORTED', 0]);
    world.close(asked);
    world.expectNothingHeld();
  });

  it('are told in order, each once, with one end and one booking, whatever the order of events', () => {
    const acts = fc.array(fc.constantFrom('part', 'take', 'end', 'fail', 'gone', 'deadline', 'close'), { maxLength: 30 });
    fc.assert(
      fc.property(acts, (script) => {
        const world = worldOf();
        const { asked, call } = ask(world);
        let sent = 0;
        let takes = 0;
        for (const act of script) {
          // A backend keeps its next answer until it is asked for it.
          if (act === 'part' && !call.over && call.resumed >= sent) call.part(++sent);
          else if (act === 'take' && takes < asked.exit.parts.length) asked.exit.parts[takes++]!.taken();
          else if (act === 'end') call.end();
          else if (act === 'fail') call.fail(Fault.BackendFailed, true);
          else if (act === 'gone') world.front.gone(asked.ctx);
          else if (act === 'deadline') world.lifecycle.abort(asked.ctx, false);
          else if (act === 'close') world.close(asked);
        }
        world.front.gone(asked.ctx);
        world.close(asked);
        call.end();
        const numbers = told(asked);
        expect(numbers).toEqual(numbers.map((_, i) => i + 1));
        expect(asked.exit.ends.length + asked.exit.sent.length).toBeLessThanOrEqual(1);
        expect(world.usage.totals('t').map(({ requests }) => requests)).toEqual([1]);
        expect(world.finished).toEqual([asked.ctx]);
        world.expectNothingHeld();
      }),
      { numRuns: 300 },
    );
  });
});
