import type { Backend, Call, CallOptions, CallSink } from '../../../../src/core/backend.ts';
import { Fault } from '../../../../src/core/faults.ts';
import type { InferenceRequest, Prediction } from '../../../../src/core/inference.ts';
import type { Signature } from '../../../../src/core/signature.ts';
import { Endpoint } from '../../../../src/router/endpoints/endpoint.ts';
import type { EndpointSettings } from '../../../../src/router/endpoints/endpoint-settings.ts';

/** Endpoints for tests: their backends do what a test says. */

export const SETTINGS: EndpointSettings = {
  resolveMs: 5_000,
  drainMs: 30_000,
  slowStartMs: 0,
  probe: { intervalMs: 5_000, recoveryMs: 1_000, timeoutMs: 500, unhealthyAfter: 3, healthyAfter: 2 },
  ejection: {
    consecutiveFailures: 3,
    successRate: null,
    baseMs: 1_000,
    maxMs: 4_000,
    forgiveMs: 30_000,
    maxEjectedPercent: 50,
  },
};

export const SIGNATURE: Signature = {
  platform: 'p',
  decoupled: false,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
};

export const OPTIONS: CallOptions = { timeoutMs: 1_000, traceparent: '', tracestate: '', requestId: 'r', affinity: 0, avoid: '' };
export const REQUEST = { model: 'm', inputs: [] } as unknown as InferenceRequest;
export const PREDICTION: Prediction = { outputs: [], computeUs: 1 };

/** A call that ends when a test says so. */
export class HandCall implements Call {
  readonly endpoint: string;
  readonly sink: CallSink;
  cancelled = false;
  over = false;

  constructor(endpoint: string, sink: CallSink) {
    this.endpoint = endpoint;
    this.sink = sink;
  }

  resume(): void {}

  cancel(): void {
    if (this.over || this.cancelled) return;
    this.cancelled = true;
    process.nextTick(() => this.fail(Fault.ClientGone));
  }

  answer(): void {
    if (this.over) return;
    this.over = true;
    this.sink.onPrediction(PREDICTION);
    this.sink.onEnd();
    this.sink.onClosed();
  }

  fail(kind = Fault.BackendFailed, reached = true): void {
    if (this.over) return;
    this.over = true;
    this.sink.onFault(kind, '', reached, 0);
    this.sink.onClosed();
  }
}

/** A server that states, says and does what its fields tell. */
export class HandBackend implements Backend {
  readonly kind = 'grpc';
  readonly target: string;
  signature: Signature | string = SIGNATURE;
  ready = true;
  calls: HandCall[] = [];
  warms = 0;
  probes = 0;
  /** Probes that run at the same time, at most. */
  probing = 0;
  probingMost = 0;
  closed = false;

  constructor(target: string) {
    this.target = target;
  }

  open(_request: InferenceRequest, _options: CallOptions, sink: CallSink): Call {
    const call = new HandCall(this.target, sink);
    this.calls.push(call);
    return call;
  }

  warm(): Promise<Signature> {
    this.warms++;
    return typeof this.signature === 'string' ? Promise.reject(new Error(this.signature)) : Promise.resolve(this.signature);
  }

  async probe(): Promise<boolean> {
    this.probes++;
    this.probingMost = Math.max(this.probingMost, ++this.probing);
    await new Promise((done) => setTimeout(done, 10));
    this.probing--;
    return this.ready;
  }

  close(): Promise<void> {
    this.closed = true;
    for (const call of this.calls) call.cancel();
    return Promise.resolve();
  }
}

/** An endpoint that is open since the beginning. */
export function openEndpoint(name: string, settings: Partial<EndpointSettings> = {}): Endpoint {
  const endpoint = new Endpoint({ name, ip: '' }, new HandBackend(name), { ...SETTINGS, ...settings });
  endpoint.moveTo({ is: 'open', sinceMs: 0 });
  return endpoint;
}

/** Numbers from 0 to below 1 that are the same in each run. */
export function seeded(seed = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}
