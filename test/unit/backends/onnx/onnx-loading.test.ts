import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ToThread } from '../../../../src/backends/onnx/thread-messages.ts';
import { Fault, GatewayError } from '../../../../src/core/faults.ts';
import { affineModel, constantModel, identityModel, sequenceModel } from '../../../support/onnx-models.ts';
import { FakeThread } from './fake-threads.ts';
import { answer, begin, floatsOf, fp32, requestOf, Scene } from './scene.ts';

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const batching = { maxRows: 8, maxDelayUs: 0 };

describe('loading an ONNX model', () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
  });

  afterEach(() => scene.close());

  async function refusal(model: Uint8Array | string, fields: Parameters<Scene['backend']>[1] = {}): Promise<string> {
    const backend = scene.backend(model, fields);
    const error: unknown = await backend.warm().then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).kind).toBe(Fault.BackendFailed);
    expect(await backend.probe()).toBe(false);
    return (error as GatewayError).detail;
  }

  it('reads the signature from the file', async () => {
    const backend = scene.backend(affineModel());
    expect(await backend.warm()).toEqual({
      platform: 'onnxruntime_onnx',
      decoupled: false,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 7] }],
      outputs: [
        { name: 'y', datatype: 'FP32', shape: [-1, 5] },
        { name: 'z', datatype: 'FP32', shape: [-1, 7] },
      ],
    });
    expect([backend.executionProviders, backend.skippedProviders]).toEqual([['cpu'], []]);
  });

  it('takes the file that has the expected digest', async () => {
    const backend = scene.backend(affineModel(), { sha256: digestOf(affineModel()) });
    await backend.warm();
    const outputs = await answer(backend, requestOf([fp32('x', [1, 7], [1, 2, 3, 4, 5, 6, 7])]));
    expect(floatsOf(outputs[1]!)).toEqual([2, 4, 6, 8, 10, 12, 14]);
  });

  it('refuses a file with another digest, and says which one it has', async () => {
    const expected = 'ab'.repeat(32);
    const detail = await refusal(affineModel(), { sha256: expected });
    expect(detail).toContain(`has the SHA-256 ${digestOf(affineModel())}, but "sha256" in the config expects ${expected}`);
  });

  it('says which file cannot be read', async () => {
    const path = `${scene.folder}/none.onnx`;
    expect(await refusal(path)).toBe(`the file ${path} cannot be read (ENOENT); "path" must name a readable ONNX file.`);
    expect(await refusal(path, { sha256: 'ab'.repeat(32) })).toContain('ENOENT');
  });

  it('refuses a file that is no model', async () => {
    expect(await refusal(new Uint8Array(100))).toContain('rotobuf parsing failed');
  });

  it('refuses a provider that cannot load, names it, and says what there is', async () => {
    const detail = await refusal(affineModel(), { executionProviders: ['cuda', 'cpu'] });
    expect(detail).toMatch(/does not load on execution provider "cuda": .*Available here: cpu, .*cuda.* "fallback: true"/s);
  });

  it('takes the next provider when it is told to, and says so', async () => {
    const backend = scene.backend(affineModel(), { executionProviders: ['cuda', 'cpu'], fallback: true });
    expect((await backend.warm()).platform).toBe('onnxruntime_onnx');
    expect(backend.executionProviders).toEqual(['cpu']);
    expect(backend.skippedProviders).toEqual([expect.stringMatching(/^"cuda": /)]);
  });

  it('refuses datatypes that cannot be served, by name', async () => {
    expect(await refusal(identityModel('BF16', ['n']))).toContain('BFLOAT16');
    expect(await refusal(sequenceModel())).toContain('output "parts" is a sequence, a map or an optional');
  });

  it('refuses batching for a model whose rows cannot share a run, and names the tensor', async () => {
    const fixed = await refusal(identityModel('FP32', [1, 3]), { batching });
    expect(fixed).toMatch(/^Model "m", variant "v": "batching" is set, but input "x" has the shape \[1,3\]/);
    expect(await refusal(identityModel('FP32', []), { batching })).toContain('input "x" is a scalar');
    expect(await refusal(constantModel(), { batching })).toContain('has no inputs');
    await scene.backend(identityModel('FP32', [1, 3])).warm();
  });

  it('serves a model without inputs', async () => {
    const backend = scene.backend(constantModel());
    await backend.warm();
    expect((await answer(backend, requestOf([]))).map(floatsOf)).toEqual([[1, 2]]);
  });

  it('can be tried again when the file has come', async () => {
    const path = `${scene.folder}/late.onnx`;
    const backend = scene.backend(path);
    await expect(backend.warm()).rejects.toThrow('ENOENT');
    const { sink } = begin(backend, requestOf([]));
    await sink.closed;
    expect(sink).toMatchObject({ fault: Fault.BackendUnreachable, detail: 'the model is not loaded yet', reached: false });
    writeFileSync(path, affineModel());
    await backend.warm();
    expect(await backend.probe()).toBe(true);
  });

  it('says how to get the runtime when it is not installed', async () => {
    const reason = 'ONNX models need the optional package onnxruntime-node; install it';
    const bare = new Scene({ startThread: (name) => new ThreadWithoutRuntime(name, reason) });
    await expect(bare.backend(affineModel()).warm()).rejects.toMatchObject({ kind: Fault.NotSupported, detail: reason });
    await bare.close();
  });
});

class ThreadWithoutRuntime extends FakeThread {
  readonly #reason: string;

  constructor(name: string, reason: string) {
    super(name, () => null);
    this.#reason = reason;
  }

  override postMessage(message: ToThread): void {
    if (message.is !== 'load') super.postMessage(message);
    else this.say({ is: 'refused', session: message.spec.session, runtimeMissing: true, reason: this.#reason });
  }
}
