import { RequestContext } from '../../../src/core/context.ts';
import type { Codec, Exit, Head, Match } from '../../../src/core/exchange.ts';
import type { FaultKind } from '../../../src/core/faults.ts';
import type { Principal } from '../../../src/core/tenant.ts';
import { type Route, type Snapshot, type Variant, VariantState } from '../../../src/core/traffic.ts';
import type { BasisPoints, NanoUsd } from '../../../src/core/units.ts';
import { Phase, Verdict } from '../../../src/core/verdict.ts';
import { NO_PINS } from '../../../src/router/pins.ts';
import { gateFor, patient } from '../../support/call-fakes.ts';

/** Requests as they look when their life is over, for tests of what is told about them. */

const codec: Codec = { name: 'oip', decode: () => Verdict.Next, encode: () => {}, encodeFault: () => {} };
const exit: Exit = { send: () => {}, reset: () => {} };

export interface SampleHead {
  readonly face?: 'http' | 'grpc';
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function sampleHead(head: SampleHead = {}): Head {
  const headers = head.headers ?? {};
  return {
    face: head.face ?? 'http',
    method: head.method ?? 'POST',
    path: head.path ?? '/v2/models/digits/infer',
    query: head.query ?? '',
    contentLength: 10,
    timeoutMs: 0,
    remoteAddress: '127.0.0.1',
    notes: null,
    header: (name) => headers[name] ?? '',
  };
}

export function sampleVariant(name: string, kind: 'grpc' | 'onnx' = 'grpc'): Variant {
  return {
    name,
    labels: [],
    role: 'stable',
    backend: {
      kind,
      target: kind === 'grpc' ? 'triton.internal:8001' : 'digits.onnx',
      open: () => {
        throw new Error('not called here');
      },
      warm: () => Promise.reject(new Error('not called here')),
      probe: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    },
    price: {
      version: 'p1',
      perRequest: 0 as NanoUsd,
      perRow: 0 as NanoUsd,
      perInputToken: 0 as NanoUsd,
      perOutputToken: 0 as NanoUsd,
      perComputeMs: 0 as NanoUsd,
      perCacheHit: 0 as NanoUsd,
    },
    gate: gateFor(8),
    state: new VariantState(),
  };
}

export function sampleRoute(model: string, variants: readonly Variant[], shadows: readonly Variant[] = []): Route {
  return {
    model,
    plan: {
      revision: 7,
      salt: 0,
      variants,
      weights: variants.map((_variant, i) => (i === 0 ? 9_900 : 100)),
      slots: new Uint8Array(10_000),
      pins: NO_PINS,
      fallbacks: [],
      shadows: shadows.map((variant) => ({ variant, sample: 500 as BasisPoints })),
    },
    contract: null,
    inputGuards: null,
    outputGuards: null,
    policy: '',
    cacheTtlMs: 0,
    timeoutMs: 5_000,
    calls: patient(),
    stickyHeader: '',
    stickyByTenant: false,
  };
}

export function samplePrincipal(tenant: string): Principal {
  return {
    tenant: {
      id: tenant,
      buckets: [],
      ratePerSecond: 1,
      burst: 1,
      priority: 3,
      concurrency: { take: () => true, release: () => {}, inFlight: 0, capacity: 1 },
      bytes: { take: () => true, give: () => {}, usedBytes: 0, capacityBytes: 1 },
    },
    keyId: 'abcd1234',
    scopes: new Set(),
    allows: () => true,
  };
}

export const noSnapshot: Snapshot = { revision: 0, route: () => null, routes: [], identify: () => null };

/** A request of which nothing but the head is known. */
export function stranger(head: SampleHead = {}, match: Partial<Match> = {}): RequestContext {
  const whole: Match = { codec, fault: null, open: false, model: '', version: '', ...match };
  const ctx = new RequestContext(sampleHead(head), exit, whole, noSnapshot);
  ctx.requestId = 'req-1';
  return ctx;
}

const stable = sampleVariant('v1');
const route = sampleRoute('digits', [stable]);
const principal = samplePrincipal('acme');

/** Fills in what a request that was answered well leaves behind. */
export function answer(ctx: RequestContext, variant: Variant = stable): RequestContext {
  ctx.principal = principal;
  ctx.route = route;
  ctx.variant = variant;
  ctx.answeredBy = variant;
  ctx.attempts = 1;
  ctx.cacheResult = 'miss';
  ctx.cost = 1_500 as NanoUsd;
  ctx.usage.rows = 2;
  ctx.usage.inputBytes = 640;
  ctx.usage.outputBytes = 80;
  for (let phase: number = Phase.Identify; phase <= Phase.Place; phase++) ctx.marksUs[phase] = 5 * (phase + 1);
  ctx.marksUs[Phase.Recall] = 40;
  ctx.marksUs[Phase.Infer] = 2_040;
  ctx.marksUs[Phase.InspectOutput] = 2_050;
  ctx.marksUs[Phase.Book] = 2_060;
  ctx.marksUs[Phase.Reply] = 2_200;
  return ctx;
}

/** Fills in what a refusal leaves behind. */
export function refuse(ctx: RequestContext, kind: FaultKind, phase: Phase, detail = ''): RequestContext {
  ctx.phase = phase;
  ctx.refuse(kind, detail);
  ctx.marksUs[phase] = 100;
  return ctx;
}
