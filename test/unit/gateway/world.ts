import { expect } from 'vitest';
import { MemoryUsageBook } from '../../../src/accounting/usage-book.ts';
import { Flights } from '../../../src/cache/flights.ts';
import { MemoryCacheStore } from '../../../src/cache/memory-store.ts';
import type { Backend, Call, CallOptions, CallSink } from '../../../src/core/backend.ts';
import { joinByteStrings } from '../../../src/core/byte-strings.ts';
import type { CallPolicy } from '../../../src/core/call-policy.ts';
import type { RequestContext } from '../../../src/core/context.ts';
import type { AnswerCheck } from '../../../src/core/exchange.ts';
import { Fault, type FaultKind } from '../../../src/core/faults.ts';
import type { Gate } from '../../../src/core/gate.ts';
import type { GuardChain } from '../../../src/core/guard.ts';
import type { InferenceRequest } from '../../../src/core/inference.ts';
import type { ModelContract, Signature } from '../../../src/core/signature.ts';
import type { Principal } from '../../../src/core/tenant.ts';
import { type Pin, type Route, type Variant, VariantState } from '../../../src/core/traffic.ts';
import type { BucketId, NanoUsd } from '../../../src/core/units.ts';
import { Verdict } from '../../../src/core/verdict.ts';
import { GatewayFront } from '../../../src/gateway/gateway-front.ts';
import type { Lifecycle } from '../../../src/gateway/lifecycle.ts';
import { LocalByteBudget } from '../../../src/limits/byte-budget.ts';
import { LocalConcurrencyCap } from '../../../src/limits/concurrency.ts';
import { LocalRateLimiter } from '../../../src/limits/gcra.ts';
import type { MirrorOptions } from '../../../src/router/copies/mirrors.ts';
import { contentOf, withContent } from '../../../src/router/plan-change.ts';
import { SequenceIds } from '../../../src/router/sequence-ids.ts';
import { planOf } from '../../../src/router/traffic-plan.ts';
import { buildLifecycle } from '../../../src/runtime/lifecycle-assembly.ts';
import { gateFor, patient } from '../../support/call-fakes.ts';
import { CopiesWorld } from '../../support/copies.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { calm } from '../../support/fake-pressure.ts';
import { FakeCodec, FakeExit, FakeHead, snapshotOf } from '../../support/request-fakes.ts';

const SIGNATURE: Signature = { platform: 'fake', decoupled: false, inputs: [], outputs: [] };
/** Requests with more have no place in the cache. */
export const MAX_CACHED_BYTES = 400;
export const FREE = {
  version: '1',
  perRequest: 10 as NanoUsd,
  perRow: 0 as NanoUsd,
  perInputToken: 0 as NanoUsd,
  perOutputToken: 0 as NanoUsd,
  perComputeMs: 0 as NanoUsd,
  perCacheHit: 1 as NanoUsd,
};

/** Says no answer with bytes of 9 in it. */
const SPEECHLESS: AnswerCheck = {
  refusal: ({ prediction }) => (prediction!.outputs[0]!.data[0] === 9 ? 'no word for 9' : ''),
};

/** A backend whose calls a test ends by hand. */
export class HandBackend implements Backend {
  readonly kind = 'onnx';
  readonly target = 'hand';
  readonly calls: HandCall[] = [];

  /** A call goes to the first that it does not avoid. */
  endpoints: readonly string[] = ['hand'];

  open(request: InferenceRequest, options: CallOptions, sink: CallSink): Call {
    const endpoint = this.endpoints.find((name) => name !== options.avoid) ?? '';
    const call = new HandCall(request, sink, endpoint, options);
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

export class HandCall implements Call {
  readonly endpoint: string;
  readonly options: CallOptions;
  readonly request: InferenceRequest;
  readonly #sink: CallSink;
  over = false;
  cancelled = false;
  resumed = 0;

  constructor(request: InferenceRequest, sink: CallSink, endpoint: string, options: CallOptions) {
    this.request = request;
    this.#sink = sink;
    this.endpoint = endpoint;
    this.options = options;
  }

  resume(): void {
    this.resumed++;
  }

  answer(byte = 1): void {
    if (this.over) return;
    this.part(byte);
    this.end();
  }

  /** One of several answers; whether the next may come at once. */
  part(byte: number): boolean {
    const outputs = [{ name: 'y', datatype: 'UINT8' as const, shape: [1], data: new Uint8Array([byte]) }];
    return this.#sink.onPrediction({ outputs, computeUs: 5 });
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    this.#sink.onEnd();
    this.#sink.onClosed();
  }

  fail(kind: FaultKind, reached: boolean, retryAfterMs = 0): void {
    if (this.over) return;
    this.over = true;
    this.#sink.onFault(kind, 'by hand', reached, retryAfterMs);
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

const variantOf = (name: string, role: 'stable' | 'canary', backend: Backend, gate: Gate, price: typeof FREE): Variant => {
  const state = new VariantState();
  state.readiness = { is: 'ready', signature: SIGNATURE };
  return { name, labels: [], role, backend, price, gate, state };
};

export interface WorldOptions {
  readonly pins?: readonly Pin[];
  /** Names of variants; stable alone by default. */
  readonly fallbacks?: readonly string[];
  readonly canaryBp?: number;
  readonly cacheTtlMs?: number;
  readonly maxInFlight?: number;
  readonly contract?: Partial<ModelContract>;
  /** With one that prices tokens, bodies come as text. */
  readonly price?: typeof FREE;
  /** The model answers as often as it likes. */
  readonly decoupled?: boolean;
  readonly codec?: typeof FakeCodec;
  readonly outputGuards?: GuardChain;
  readonly calls?: CallPolicy;
  /** Doors of stable and canary; with a line before them, say. */
  readonly gate?: (clock: FakeClock) => Gate;
  /** Asked by those who send the field `speechless`. */
  readonly answerCheck?: AnswerCheck;
  /** Between stable and the canary; none unless a test asks for them. */
  readonly mirrors?: Partial<MirrorOptions>;
}

/** A whole gateway behind the listeners: real phases and mechanisms, backends by hand. */
export class World {
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
  /** How requests ended for their variants, as `v2 failed`. */
  readonly evidence: string[] = [];
  readonly flights = new Flights({ maxKeys: 100, maxWaiters: 100 }, (error) => this.lost.push(error));
  readonly variants: readonly [Variant, Variant];
  readonly copied: CopiesWorld;
  readonly front: GatewayFront;
  readonly lifecycle: Lifecycle;
  /** Raw answer bytes decide equality of misses. */
  #body = 'same';

  constructor(options: WorldOptions = {}) {
    const { canaryBp = 0, cacheTtlMs = 0, maxInFlight = 100, contract = {}, price = FREE, codec: Codec = FakeCodec } = options;
    const signature = { ...SIGNATURE, decoupled: options.decoupled ?? false };
    this.variants = [
      variantOf('v1', 'stable', this.stable, options.gate?.(this.clock) ?? gateFor(maxInFlight), price),
      variantOf('v2', 'canary', this.canary, options.gate?.(this.clock) ?? gateFor(maxInFlight), price),
    ];
    const stated = planOf({
      model: 'm',
      revision: 1,
      variants: [
        { variant: this.variants[0], weightBp: 10_000 - canaryBp },
        { variant: this.variants[1], weightBp: canaryBp },
      ],
      shadows: [],
    });
    const { pins = [], fallbacks = ['v1'] } = options;
    const plan = withContent(stated, { ...contentOf(stated), pins, fallbacks });
    const route: Route = {
      model: 'm',
      plan,
      contract: { signature, rowLimit: 0, rows: () => 1, refusal: () => '', lie: () => '', plainLie: () => '', ...contract },
      inputGuards: null,
      outputGuards: options.outputGuards ?? null,
      policy: 'p',
      cacheTtlMs,
      timeoutMs: 1_000,
      calls: options.calls ?? patient(),
      stickyHeader: '',
      stickyByTenant: false,
    };
    this.copied = new CopiesWorld(this.clock, options.mirrors);
    const limiter = new LocalRateLimiter(1);
    limiter.configure(0 as BucketId, 1e6, 1e6);
    const principal: Principal = {
      tenant: {
        id: 't',
        buckets: [0 as BucketId],
        ratePerSecond: 1e6,
        burst: 1e6,
        priority: 3,
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
      overloaded: () => {},
    };
    const { lifecycle, admit } = buildLifecycle({
      clock: this.clock,
      limiter,
      processCap: this.processCap,
      bytes: this.bytes,
      maxBodyBytes: 500,
      pressure: calm(),
      store: new MemoryCacheStore({ maxBytes: 1e6, maxEntryBytes: 1e5 }),
      flights: this.flights,
      maxCachedRequestBytes: MAX_CACHED_BYTES,
      usage: this.usage,
      copies: this.copied.copies,
      evidence: {
        request: (_m, variant, _a, end, us, cost) => void this.evidence.push(`${variant} ${end} ${us} ${cost}`),
        pair: () => undefined,
      },
      sequences: new SequenceIds(Buffer.alloc(32)),
      observer,
      tally,
      onLost: (error) => this.lost.push(error),
    });
    this.lifecycle = lifecycle;
    const codec = new Codec((ctx) => {
      const data = Buffer.from(this.#body);
      const sequenceId = ctx.head.header('sequence');
      if (ctx.head.header('speechless') !== '') ctx.answerCheck = options.answerCheck ?? SPEECHLESS;
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
    expect(this.variants.map((variant) => variant.gate.inFlight)).toEqual([0, 0]);
    expect(this.lost).toEqual([]);
  }
}

export interface Asked {
  readonly ctx: RequestContext;
  readonly exit: FakeExit;
}

export const codeOf = ({ ctx }: Asked): string => ctx.fault?.code ?? '';
