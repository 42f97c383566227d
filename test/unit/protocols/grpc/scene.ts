import type { Backend } from '../../../../src/core/backend.ts';
import { RequestContext } from '../../../../src/core/context.ts';
import type { Exit, Head } from '../../../../src/core/exchange.ts';
import type { ModelContract, Signature } from '../../../../src/core/signature.ts';
import type { Principal } from '../../../../src/core/tenant.ts';
import { type Role, type Route, type Snapshot, type Variant, VariantState } from '../../../../src/core/traffic.ts';
import { nanoUsd, WHOLE_BP } from '../../../../src/core/units.ts';
import { GrpcProtocol, type GrpcProtocolOptions } from '../../../../src/protocols/grpc/grpc-protocol.ts';
import { NO_PINS } from '../../../../src/router/pins.ts';
import { gateFor, patient } from '../../../support/call-fakes.ts';
import { IN_PLACE } from '../../../support/offloads.ts';

/** A gateway's worth of models, just enough to ask the gRPC codecs about. */

export const SERVICE = '/inference.GRPCInferenceService/';

export const SIGNATURE: Signature = {
  platform: 'onnxruntime_onnx',
  decoupled: false,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'INT64', shape: [-1] }],
};

const EXIT: Exit = { send: () => undefined, reset: () => undefined };

export function variant(name: string, role: Role, labels: readonly string[], isReady: boolean): Variant {
  const state = new VariantState();
  if (isReady) state.readiness = { is: 'ready', signature: SIGNATURE };
  const zero = nanoUsd(0);
  const price = {
    version: '1',
    perRequest: zero,
    perRow: zero,
    perInputToken: zero,
    perOutputToken: zero,
    perComputeMs: zero,
    perCacheHit: zero,
  };
  return { name, labels, role, backend: {} as Backend, price, gate: gateFor(1), state };
}

export function route(model: string, variants: readonly Variant[], signature: Signature | null): Route {
  const contract: ModelContract | null =
    signature === null ? null : { signature, rowLimit: 0, rows: () => 1, refusal: () => '', lie: () => '', plainLie: () => '' };
  return {
    model,
    plan: {
      revision: 1,
      salt: 0,
      variants,
      weights: [WHOLE_BP, 0],
      slots: new Uint8Array(WHOLE_BP),
      pins: NO_PINS,
      fallbacks: [],
      shadows: [],
    },
    contract,
    inputGuards: null,
    outputGuards: null,
    policy: '',
    cacheTtlMs: 0,
    timeoutMs: 1_000,
    calls: patient(),
    stickyHeader: '',
    stickyByTenant: false,
  };
}

export function headOf(path: string): Head {
  return {
    face: 'grpc',
    method: 'POST',
    path,
    query: '',
    contentLength: -1,
    timeoutMs: 0,
    remoteAddress: '127.0.0.1',
    notes: null,
    header: () => '',
  };
}

/** Serves "spam" (v1 ready, v2 not) and "warming" to everyone, and "secret" to nobody. */
export class Scene {
  isReady = true;
  readonly spam: readonly Variant[];
  readonly #protocol: GrpcProtocol;
  readonly #snapshot: Snapshot;

  constructor(options: Partial<GrpcProtocolOptions> = {}) {
    const isReady = (): boolean => this.isReady;
    this.#protocol = new GrpcProtocol({
      maxTensors: 8,
      maxTypedBytes: 2_097_152,
      offload: IN_PLACE,
      serverName: 'sluice',
      serverVersion: '1.2.3',
      reflection: false,
      isReady,
      ...options,
    });
    this.spam = [variant('v1', 'stable', ['blue'], true), variant('v2', 'canary', [], false)];
    const routes = [
      route('secret', [variant('v1', 'stable', [], true)], SIGNATURE),
      route('spam', this.spam, SIGNATURE),
      route('warming', [variant('v1', 'stable', [], false)], null),
    ];
    this.#snapshot = {
      revision: 1,
      routes,
      route: (model) => routes.find((one) => one.model === model) ?? null,
      identify: () => null,
    };
  }

  match(path: string): ReturnType<GrpcProtocol['match']> {
    return this.#protocol.match(headOf(path));
  }

  /** A request to `method`, of the inference service unless it is a path, by a caller who may use all but "secret". */
  ask(method: string, ...body: Uint8Array[]): RequestContext {
    const head = headOf(method.startsWith('/') ? method : SERVICE + method);
    const ctx = new RequestContext(head, EXIT, this.#protocol.match(head), this.#snapshot);
    ctx.body = body;
    ctx.principal = { allows: (model) => model !== 'secret' } as Principal;
    return ctx;
  }
}
