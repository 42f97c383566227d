import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryUsageBook } from '../../../src/accounting/usage-book.ts';
import { Flights } from '../../../src/cache/flights.ts';
import { MemoryCacheStore } from '../../../src/cache/memory-store.ts';
import type { Backend, Call, CallOptions, CallSink } from '../../../src/core/backend.ts';
import { joinByteStrings } from '../../../src/core/byte-strings.ts';
import type { RequestContext } from '../../../src/core/context.ts';
import { Fault, type FaultKind } from '../../../src/core/faults.ts';
import type { InferenceRequest, Prediction } from '../../../src/core/inference.ts';
import type { ModelContract, Signature } from '../../../src/core/signature.ts';
import type { Principal } from '../../../src/core/tenant.ts';
import { type Route, type Variant, VariantState } from '../../../src/core/traffic.ts';
import type { BucketId, NanoUsd } from '../../../src/core/units.ts';
import { Verdict } from '../../../src/core/verdict.ts';
import { GatewayFront } from '../../../src/gateway/gateway-front.ts';
import { LocalByteBudget } from '../../../src/limits/byte-budget.ts';
import { LocalConcurrencyCap } from '../../../src/limits/concurrency.ts';
import { LocalRateLimiter } from '../../../src/limits/gcra.ts';
import { SequenceIds } from '../../../src/router/sequence-ids.ts';
import { ShadowQueues } from '../../../src/router/shadow-queues.ts';
import { planOf } from '../../../src/router/traffic-plan.ts';
import { buildLifecycle } from '../../../src/runtime/lifecycle-assembly.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeCodec, FakeExit, FakeHead, snapshotOf } from '../../support/request-fakes.ts';

const SIGNATURE: Signature = { platform: 'fake', decoupled: false, inputs: [], outputs: [] };
const FREE = {
  version: '1',
  perRequest: 10 as NanoUsd,
  perRow: 0 as NanoUsd,
  perInputToken: 0 as NanoUsd,
  perOutputToken: 0 as NanoUsd,
  perComputeMs: 0 as NanoUsd,
  perCacheHit: 1 as NanoUsd,
};

/** A backend whose calls a test ends by hand. */
class HandBackend implements Backend {
  readonly kind = 'onnx';
  readonly target = 'hand';
  readonly calls: HandCall[] = [];

  open(request: InferenceRequest, _options: CallOptions, sink: CallSink): Call {
    const call = new HandCall(request, sink);
    this.calls.push(call);
    return call;
  }

  warm(): Promise<Signature> {
    return Promise.resolve(SIGNATURE);
  }

  probe(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class HandCall implements Call {
  readonly endpoint = 'hand';
  readonly request: InferenceRequest;
  readonly #sink: CallSink;
  over = false;
  cancelled = false;

  constructor(request: InferenceRequest, sink: CallSink) {
    this.request = request;
    this.#sink = sink;
  }

  resume(): void {}

  answer(byte = 1): void {
    if (this.over) return;
    this.over = true;
    const prediction: Prediction = {
      outputs: [{ name: 'y', datatype: 'UINT8', shape: [1], data: new Uint8Array([byte]) }],
      computeUs: 5,
    };
    this.#sink.onPrediction(prediction);
    this.#sink.onEnd();
    this.#sink.onClosed();
  }

  fail(kind: FaultKind, reached: boolean): void {
    if (this.over) return;
    this.over = true;
    this.#sink.onFault(kind, 'by hand', reached, 0);
    this.#sink.onClosed();
  }

  cancel(): void {
    if (this.over) return;
    this.over = true;
    this.cancelled = true;
    this.#sink.onFault(Fault.ClientGone, '', true, 0);
    this.#sink.onClosed();
  }
}

const variantOf = (
  name: string,
  role: 'stable' | 'canary',
  backend: Backend,
  maxInFlight: number,
  price: typeof FREE,
): Variant => {
  const state = new VariantState();
  state.readiness = { is: 'ready', signature: SIGNATURE };
  return { name, labels: [], role, backend, price, maxInFlight, state };
};

interface WorldOptions {
  readonly canaryBp?: number;
  readonly cacheTtlMs?: number;
  readonly maxInFlight?: number;
  readonly contract?: Partial<ModelContract>;
  /** With one that prices tokens, bodies come as text. */
  readonly price?: typeof FREE;
}

/** A whole gateway behind the listeners: real phases and mechanisms, backends by hand. */
class World {
  readonly clock = new FakeClock();
  readonly stable = new HandBackend();
  readonly canary = new HandBackend();
  readonly bytes = new LocalByteBudget(1_000);
  readonly processCap = new LocalConcurrencyCap(50);
  readonly tenantCap = new LocalConcurrencyCap(40);
  readonly tenantBytes = new LocalByteBudget(900);
  readonly finished: RequestContext[] = [];
  readonly lost: unknown[] = [];
  readonly attempts: string[] = [];
  readonly usage = new MemoryUsageBook();
  readonly flights = new Flights({ maxKeys: 100, maxWaiters: 100 }, (error) => this.lost.push(error));
  readonly variants: readonly [Variant, Variant];
  readonly front: GatewayFront;
  /** Raw answer bytes decide equality of misses. */
  #body = 'same';

  constructor(options: WorldOptions = {}) {
    const { canaryBp = 0, cacheTtlMs = 0, maxInFlight = 100, contract = {}, price = FREE } = options;
    this.variants = [
      variantOf('v1', 'stable', this.stable, maxInFlight, price),
      variantOf('v2', 'canary', this.canary, maxInFlight, price),
    ];
    const plan = planOf({
      model: 'm',
      revision: 1,
      variants: [
        { variant: this.variants[0], weightBp: 10_000 - canaryBp },
        { variant: this.variants[1], weightBp: canaryBp },
      ],
      shadows: [],
    });
    const route: Route = {
      model: 'm',
      plan,
      contract: { signature: SIGNATURE, rowLimit: 0, rows: () => 1, refusal: () => '', lie: () => '', ...contract },
      inputGuards: null,
      outputGuards: null,
      policy: 'p',
      cacheTtlMs,
      timeoutMs: 1_000,
      stickyHeader: '',
      stickyByTenant: false,
    };
    const limiter = new LocalRateLimiter(1);
    limiter.configure(0 as BucketId, 1e6, 1e6);
    const principal: Principal = {
      tenant: {
        id: 't',
        buckets: [0 as BucketId],
        ratePerSecond: 1e6,
        burst: 1e6,
        concurrency: this.tenantCap,
        bytes: this.tenantBytes,
      },
      keyId: 'k',
      scopes: new Set(['infer']),
      allows: () => true,
    };
    const observer = { opened: () => {}, finished: (ctx: RequestContext) => void this.finished.push(ctx) };
    const tally = {
      ruling: () => {},
      attempt: (_m: string, v: string, code: string) => void this.attempts.push(`${v} ${code}`),
      shadow: () => {},
      batch: () => {},
    };
    const { lifecycle, admit } = buildLifecycle({
      clock: this.clock,
      limiter,
      processCap: this.processCap,
      bytes: this.bytes,
      maxBodyBytes: 500,
      store: new MemoryCacheStore({ maxBytes: 1e6, maxEntryBytes: 1e5 }),
      flights: this.flights,
      usage: this.usage,
      shadows: new ShadowQueues([], { maxQueued: 1, maxInFlight: 1, maxQueuedBytes: 1, timeoutMs: 1 }, this.clock, () => {}),
      sequences: new SequenceIds(Buffer.alloc(32)),
      observer,
      tally,
      onLost: (error) => this.lost.push(error),
    });
    const codec = new FakeCodec((ctx) => {
      const data = Buffer.from(this.#body);
      const sequenceId = ctx.head.header('sequence');
      const text = { name: 'x', datatype: 'BYTES' as const, shape: [1], data: joinByteStrings([data]) };
      const inputs = [price === FREE ? { name: 'x', datatype: 'UINT8' as const, shape: [data.length], data } : text];
      ctx.request = {
        task: 'predict',
        model: 'm',
        version: ctx.match.version,
        id: '',
        params: new Map(sequenceId === '' ? [] : [['sequence_id', sequenceId]]),
        inputs,
        wanted: [],
        timeoutUs: 0,
        sequenceId,
      };
      return Verdict.Next;
    });
    const snapshot = { ...snapshotOf([route]), identify: () => principal };
    const match = (head: FakeHead) => ({ codec, fault: null, open: false, model: '', version: head.header('version') });
    this.front = new GatewayFront({
      clock: this.clock,
      http: { match: (head) => match(head as FakeHead) },
      grpc: { match: (head) => match(head as FakeHead) },
      lifecycle,
      admit,
      observer,
      snapshot: () => snapshot,
      onLost: (error) => this.lost.push(error),
    });
  }

  /** Opens a request and, unless it was refused, sends its body. */
  begin(options: { readonly body?: string; readonly bytes?: number; readonly fields?: Record<string, string> } = {}): Asked {
    const { body = 'same', bytes = 2, fields = {} } = options;
    const exit = new FakeExit();
    const head = new FakeHead({ authorization: 'Bearer k', ...fields }, bytes);
    const ctx = this.front.open(head, exit);
    this.#body = body;
    if (ctx.awaitsBody) this.front.complete(ctx, [Buffer.from(body)]);
    return { ctx, exit };
  }

  close({ ctx }: Asked): void {
    this.front.closed(ctx);
  }

  /** What must be so when nothing is in flight. */
  expectNothingHeld(): void {
    expect([this.bytes.usedBytes, this.processCap.inFlight, this.tenantCap.inFlight, this.flights.keys]).toEqual([0, 0, 0, 0]);
    expect(this.variants.map((variant) => variant.state.inFlight)).toEqual([0, 0]);
    expect(this.lost).toEqual([]);
  }
}

interface Asked {
  readonly ctx: RequestContext;
  readonly exit: FakeExit;
}

const codeOf = ({ ctx }: Asked): string => ctx.fault?.code ?? '';

describe('a request through the gateway', () => {
  it('is answered by its backend, books its cost and gives back all it held', () => {
    const world = new World();
    const asked = world.begin();
    expect([world.bytes.usedBytes, world.processCap.inFlight, world.variants[0].state.inFlight]).toEqual([2, 1, 1]);
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
