import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/context.ts';
import { Deadlines } from '../../../src/core/deadlines.ts';
import type { RateLimiter } from '../../../src/core/limits.ts';
import type { Tally } from '../../../src/core/observer.ts';
import type { ConcurrencyCap, Principal } from '../../../src/core/tenant.ts';
import { SYSTEM_TIMING } from '../../../src/core/timing.ts';
import type { BucketId } from '../../../src/core/units.ts';
import { Verdict } from '../../../src/core/verdict.ts';
import { GatewayFront } from '../../../src/gateway/gateway-front.ts';
import { Lifecycle } from '../../../src/gateway/lifecycle.ts';
import { Admit } from '../../../src/gateway/phases/admit.ts';
import type { Recall } from '../../../src/gateway/phases/recall.ts';
import { Release } from '../../../src/gateway/phases/release.ts';
import { LocalByteBudget } from '../../../src/limits/byte-budget.ts';
import { LocalConcurrencyCap } from '../../../src/limits/concurrency.ts';
import { Pressure } from '../../../src/limits/pressure.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { THRESHOLDS } from '../../support/fake-pressure.ts';
import { FakeCodec, FakeExit, FakeHead, snapshotOf } from '../../support/request-fakes.ts';

/** Limits whose answers a test gives by hand. */
class HandLimits implements RateLimiter, ConcurrencyCap {
  readonly rates: ((waitMs: number | null) => void)[] = [];
  readonly places: ((taken: boolean | null) => void)[] = [];
  readonly capacity = 10;
  released = 0;

  take(buckets: readonly BucketId[]): Promise<number | null>;
  take(): Promise<boolean | null> & Promise<number | null>;
  take(buckets?: readonly BucketId[]): unknown {
    if (buckets === undefined) return new Promise<boolean | null>((resolve) => this.places.push(resolve));
    return new Promise<number | null>((resolve) => this.rates.push(resolve));
  }

  get inFlight(): number {
    return 0;
  }

  release(): void {
    this.released++;
  }

  remaining(): number {
    return 7;
  }

  fullInMs(): number {
    return 700;
  }
}

class World {
  readonly limits = new HandLimits();
  readonly processCap = new LocalConcurrencyCap(2);
  readonly bytes = new LocalByteBudget(100);
  readonly overloads: string[] = [];
  readonly pressure = new Pressure(
    THRESHOLDS,
    () => this.reading,
    () => undefined,
  );
  reading = { memoryShare: 0, loopDelayMs: 0 };
  readonly lost: unknown[] = [];
  /** Bodies as they were when they came to Decode. */
  readonly decoded: string[] = [];
  readonly front: GatewayFront;

  constructor() {
    const { limits, processCap, bytes } = this;
    const clock = new FakeClock();
    const tally: Tally = {
      ruling: () => {},
      attempt: () => {},
      shadow: () => {},
      batch: () => {},
      overloaded: (reason) => void this.overloads.push(reason),
    };
    const tenantBytes = new LocalByteBudget(100);
    const tenant = {
      id: 't',
      buckets: [0 as BucketId],
      ratePerSecond: 1,
      burst: 1,
      priority: 3,
      concurrency: limits as ConcurrencyCap,
      bytes: tenantBytes,
    };
    const principal: Principal = { tenant, keyId: 'k', scopes: new Set(['infer']), allows: () => true };
    const observer = { opened: () => {}, finished: () => {} };
    const admit = new Admit({ clock, limiter: limits, processCap, bytes, maxBodyBytes: 50, pressure: this.pressure, tally });
    const deadlines = new Deadlines<RequestContext>({ ...SYSTEM_TIMING, clock }, () => undefined);
    const release = new Release({ bytes, observer, recall: null as unknown as Recall, deadlines });
    const next = { run: () => Verdict.Next };
    const lifecycle = new Lifecycle(
      {
        identify: { run: (ctx) => this.#identify(ctx, principal) },
        admit,
        decode: { run: (ctx) => this.#decode(ctx) },
        authorise: next,
        inspectInput: next,
        place: next,
        recall: next,
        infer: next,
        inspectOutput: next,
        book: next,
        reply: { run: (ctx) => this.#reply(ctx) },
        release: (ctx) => release.run(ctx),
        hasFollowers: () => false,
      },
      () => 1,
      (error) => this.lost.push(error),
    );
    const protocol = { match: () => ({ codec: new FakeCodec(), fault: null, open: false, model: 'm', version: '' }) };
    const onLost = (error: unknown): void => void this.lost.push(error);
    this.front = new GatewayFront({
      clock,
      http: protocol,
      grpc: protocol,
      lifecycle,
      admit,
      observer,
      snapshot: () => snapshotOf(),
      onLost,
    });
  }

  open(bytes = 4): { ctx: RequestContext; exit: FakeExit } {
    const exit = new FakeExit();
    return { ctx: this.front.open(new FakeHead({}, bytes), exit), exit };
  }

  held(): number[] {
    return [this.processCap.inFlight, this.bytes.usedBytes];
  }

  #identify(ctx: RequestContext, principal: Principal): Verdict {
    ctx.principal = principal;
    return Verdict.Next;
  }

  #decode(ctx: RequestContext): Verdict {
    this.decoded.push(Buffer.concat(ctx.body).toString());
    return Verdict.Next;
  }

  #reply(ctx: RequestContext): Verdict {
    ctx.exit.send(ctx.reply);
    return Verdict.Next;
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an admission that has to ask elsewhere', () => {
  it('holds the bytes before it waits, and goes on when rate and place have been granted', async () => {
    const world = new World();
    const { ctx, exit } = world.open();
    expect([ctx.awaitsBody, world.held()]).toEqual([true, [1, 4]]);
    world.limits.rates[0]!(0);
    await tick();
    world.limits.places[0]!(true);
    await tick();
    expect(exit.sent).toHaveLength(0);
    world.front.complete(ctx, [Buffer.from('body')]);
    expect([world.decoded, exit.sent.length, ctx.rateRemaining]).toEqual([['body'], 1, 7]);
    world.front.closed(ctx);
    expect([world.held(), world.limits.released]).toEqual([[0, 0], 1]);
  });

  it('keeps a body that comes before the answer, whether or not its length was stated', async () => {
    for (const bytes of [4, -1]) {
      const world = new World();
      const { ctx, exit } = world.open(bytes);
      world.front.complete(ctx, [Buffer.from('body')]);
      expect([world.decoded, world.held()]).toEqual([[], [1, 4]]);
      world.limits.rates[0]!(0);
      await tick();
      world.limits.places[0]!(true);
      await tick();
      expect([world.decoded, exit.sent.length]).toEqual([['body'], 1]);
    }
  });

  it('refuses what is over the rate or the cap, and what nobody could judge in time', async () => {
    const world = new World();
    const over = world.open();
    world.limits.rates[0]!(1_500);
    await tick();
    expect([over.ctx.fault?.code, over.ctx.retryAfterMs]).toEqual(['RATE_LIMITED', 1_500]);
    world.front.closed(over.ctx);
    const unjudged = world.open();
    world.limits.rates[1]!(null);
    await tick();
    expect([unjudged.ctx.fault?.code, unjudged.ctx.retryAfterMs]).toEqual(['OVERLOADED', 1_000]);
    world.front.closed(unjudged.ctx);
    for (const [taken, code] of [
      [false, 'TOO_MANY_IN_FLIGHT'],
      [null, 'OVERLOADED'],
    ] as const) {
      const { ctx } = world.open();
      world.limits.rates.at(-1)!(0);
      await tick();
      world.limits.places.at(-1)!(taken);
      await tick();
      expect(ctx.fault?.code).toBe(code);
      world.front.closed(ctx);
    }
    expect([world.held(), world.limits.released, world.decoded]).toEqual([[0, 0], 0, []]);
  });

  it('takes nothing more for a request that has ended meanwhile', async () => {
    const world = new World();
    const left = world.open();
    world.front.gone(left.ctx);
    world.front.closed(left.ctx);
    world.limits.rates[0]!(0);
    await tick();
    expect([world.held(), world.limits.places.length]).toEqual([[0, 0], 0]);
    const leftLater = world.open();
    world.limits.rates[1]!(0);
    await tick();
    world.front.gone(leftLater.ctx);
    world.front.closed(leftLater.ctx);
    world.limits.places[0]!(true);
    await tick();
    expect([world.held(), world.limits.released]).toEqual([[0, 0], 1]);
    expect([left.ctx.fault?.code, leftLater.ctx.fault?.code]).toEqual(['CLIENT_GONE', 'CLIENT_GONE']);
    expect(world.lost).toEqual([]);
  });

  it('refuses everything while memory or time is short, and says which limit it was', () => {
    const world = new World();
    world.reading = { memoryShare: 0.96, loopDelayMs: 0 };
    world.pressure.poll();
    const { ctx } = world.open();
    expect([ctx.fault?.code, ctx.retryAfterMs, world.limits.rates.length]).toEqual(['OVERLOADED', 1_000, 0]);
    world.reading = { memoryShare: 0.5, loopDelayMs: 900 };
    for (let i = 0; i < 2; i++) world.pressure.poll();
    expect(world.open().ctx.fault?.code).toBe('OVERLOADED');
    world.reading = { memoryShare: 0.5, loopDelayMs: 0 };
    for (let i = 0; i < 2; i++) world.pressure.poll();
    expect(world.open().ctx.fault).toBeNull();
    expect(world.overloads).toEqual(['memory', 'event_loop']);
  });

  it('waits for no more requests than the process takes', () => {
    const world = new World();
    const codes = [world.open(), world.open(), world.open()].map(({ ctx }) => ctx.fault?.code ?? '');
    expect(codes).toEqual(['', '', 'OVERLOADED']);
    expect(world.overloads).toEqual(['requests']);
  });
});
