import type { Backend, Call, CallOptions, CallSink } from '../../../src/core/backend.ts';
import type { FaultKind } from '../../../src/core/faults.ts';
import type { InferenceRequest, Prediction, Tensor } from '../../../src/core/inference.ts';
import type { PriceSheet } from '../../../src/core/money.ts';
import type { Signature } from '../../../src/core/signature.ts';
import { type Role, type Variant, VariantState } from '../../../src/core/traffic.ts';
import { nanoUsd } from '../../../src/core/units.ts';
import { gateFor } from '../../support/call-fakes.ts';

const SIGNATURE: Signature = { platform: 'test', decoupled: false, inputs: [], outputs: [] };
const FREE: PriceSheet = {
  version: 'free',
  perRequest: nanoUsd(0),
  perRow: nanoUsd(0),
  perInputToken: nanoUsd(0),
  perOutputToken: nanoUsd(0),
  perComputeMs: nanoUsd(0),
  perCacheHit: nanoUsd(0),
};

/** One call to a backend that answers only when a test says so. */
export class FakeCall implements Call {
  readonly endpoint = 'test';
  readonly request: InferenceRequest;
  readonly options: CallOptions;
  readonly sink: CallSink;
  cancelled = false;

  constructor(request: InferenceRequest, options: CallOptions, sink: CallSink) {
    this.request = request;
    this.options = options;
    this.sink = sink;
  }

  cancel(): void {
    this.cancelled = true;
  }

  resume(): void {}

  answer(prediction: Prediction): void {
    this.sink.onPrediction(prediction);
    this.sink.onEnd();
    this.sink.onClosed();
  }

  fail(kind: FaultKind): void {
    this.sink.onFault(kind, '', true, 0);
    this.sink.onClosed();
  }
}

export class FakeBackend implements Backend {
  readonly kind = 'grpc';
  readonly target = 'test';
  readonly calls: FakeCall[] = [];

  open(request: InferenceRequest, options: CallOptions, sink: CallSink): Call {
    const call = new FakeCall(request, options, sink);
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

export interface FakeVariant extends Variant {
  readonly backend: FakeBackend;
}

export function variantOf(name: string, role: Role = 'stable', maxInFlight = 100): FakeVariant {
  const state = new VariantState();
  state.readiness = { is: 'ready', signature: SIGNATURE };
  return { name, labels: [], role, backend: new FakeBackend(), price: FREE, gate: gateFor(maxInFlight), state };
}

export function floats(values: readonly number[], shape: readonly number[] = [1, values.length], name = 'scores'): Tensor {
  return { name, datatype: 'FP32', shape, data: new Uint8Array(Float32Array.from(values).buffer) };
}

export function requestOf(inputs: Tensor[] = [floats([1, 2])]): InferenceRequest {
  return {
    task: 'predict',
    model: 'm',
    version: '',
    id: '',
    params: new Map(),
    inputs,
    wanted: [],
    timeoutUs: 0,
    sequenceId: '',
  };
}

export const predictionOf = (...outputs: Tensor[]): Prediction => ({ outputs, computeUs: 0 });
