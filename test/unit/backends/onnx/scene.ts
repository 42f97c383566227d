import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnnxBackend } from '../../../../src/backends/onnx/onnx-backend.ts';
import { OnnxHost, type OnnxHostOptions } from '../../../../src/backends/onnx/onnx-host.ts';
import { backend as backendSchema, type OnnxBackendConfig } from '../../../../src/config/model-schema.ts';
import type { Call, CallOptions } from '../../../../src/core/backend.ts';
import { joinByteStrings, splitByteStrings } from '../../../../src/core/byte-strings.ts';
import { SystemClock } from '../../../../src/core/clock.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';
import { RecordingSink } from '../../../support/recording-sink.ts';

/** Hosts, backends and model files of a test, and their end. */

export const OPTIONS: CallOptions = {
  timeoutMs: 10_000,
  traceparent: '',
  tracestate: '',
  requestId: 'test',
  affinity: 0,
  avoid: '',
};

export interface Begun {
  readonly sink: RecordingSink;
  readonly call: Call;
}

export class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-onnx-'));
  readonly host: OnnxHost;
  readonly clock: OnnxHostOptions['clock'];
  /** Rows of each run, in order. */
  readonly batches: number[] = [];
  #files = 0;

  constructor(options: Partial<OnnxHostOptions> = {}) {
    this.clock = options.clock ?? new SystemClock();
    this.host = new OnnxHost({ threads: 1, ...options, clock: this.clock });
  }

  file(bytes: Uint8Array): string {
    const path = join(this.folder, `${this.#files++}.onnx`);
    writeFileSync(path, bytes);
    return path;
  }

  backend(model: Uint8Array | string, fields: Partial<OnnxBackendConfig> = {}): OnnxBackend {
    const path = typeof model === 'string' ? model : this.file(model);
    const config = backendSchema.parse({ kind: 'onnx', path, ...fields }) as OnnxBackendConfig;
    const onBatch = (rows: number): void => void this.batches.push(rows);
    return new OnnxBackend(config, { model: 'm', variant: 'v', path, host: this.host, clock: this.clock, onBatch });
  }

  async close(): Promise<void> {
    await this.host.close();
    rmSync(this.folder, { recursive: true });
  }
}

export function begin(backend: OnnxBackend, request: InferenceRequest, options: CallOptions = OPTIONS): Begun {
  const sink = new RecordingSink();
  return { sink, call: backend.open(request, options, sink) };
}

/** The events of a call that has ended. */
export async function ended(begun: Begun): Promise<readonly string[]> {
  await begun.sink.closed;
  return begun.sink.events;
}

export async function answer(backend: OnnxBackend, request: InferenceRequest): Promise<readonly Tensor[]> {
  const { sink } = begin(backend, request);
  await sink.closed;
  if (sink.prediction === null) throw new Error(`${sink.events.join(', ')}: ${sink.detail}`);
  return sink.prediction.outputs;
}

export function requestOf(inputs: Tensor[], wanted: readonly string[] = []): InferenceRequest {
  return { task: 'predict', model: 'm', version: '', id: '', params: new Map(), inputs, wanted, timeoutUs: 0, sequenceId: '' };
}

export function fp32(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, datatype: 'FP32', shape, data: Buffer.from(Float32Array.from(values).buffer) };
}

export function int64(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, datatype: 'INT64', shape, data: Buffer.from(BigInt64Array.from(values, BigInt).buffer) };
}

export function strings(name: string, shape: readonly number[], values: readonly string[]): Tensor {
  return { name, datatype: 'BYTES', shape, data: joinByteStrings(values.map((value) => Buffer.from(value))) };
}

export const floatsOf = (tensor: Tensor): number[] => Array.from(new Float32Array(aligned(tensor)));
export const int64Of = (tensor: Tensor): number[] => Array.from(new BigInt64Array(aligned(tensor)), Number);
export const stringsOf = (tensor: Tensor): string[] =>
  splitByteStrings(tensor.data).map((value) => Buffer.from(value).toString());

/** A view may begin anywhere. */
const aligned = (tensor: Tensor): ArrayBuffer => new Uint8Array(tensor.data).buffer;
