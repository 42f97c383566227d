import { describe, expect, it } from 'vitest';
import { cacheEntryOf } from '../../../src/cache/cache-entry.ts';
import type { Prediction } from '../../../src/core/inference.ts';
import type { Millis } from '../../../src/core/units.ts';

function predictionOn(body: Uint8Array): Prediction {
  return {
    outputs: [
      { name: 'scores', datatype: 'FP32', shape: [1, 2], data: body.subarray(3, 11) },
      { name: 'label', datatype: 'UINT8', shape: [1], data: body.subarray(20, 21) },
      { name: 'none', datatype: 'UINT8', shape: [0], data: body.subarray(5, 5) },
    ],
    computeUs: 7,
  };
}

const entry = (prediction: Prediction) =>
  cacheEntryOf(prediction, { model: 'm', variant: 'v', expiresMs: 500 as Millis, maxBytes: 1e6, keyChars: 44 });

describe('cacheEntryOf', () => {
  it('keeps the answer as it was', () => {
    const prediction = predictionOn(Uint8Array.from({ length: 64 }, (_, n) => n));
    const kept = entry(prediction);
    expect(kept.model).toBe('m');
    expect(kept.variant).toBe('v');
    expect(kept.expiresMs).toBe(500);
    expect(kept.prediction.computeUs).toBe(7);
    expect(kept.prediction.outputs.map((tensor) => ({ ...tensor, data: [...tensor.data] }))).toEqual(
      prediction.outputs.map((tensor) => ({ ...tensor, data: [...tensor.data] })),
    );
  });

  it('is not touched by what later happens to the bytes it was made from', () => {
    const body = new Uint8Array(64).fill(1);
    const kept = entry(predictionOn(body));
    body.fill(9);
    expect([...kept.prediction.outputs[0]!.data]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('pins no memory but its own: one slab of exactly its bytes', () => {
    const kept = entry(predictionOn(new Uint8Array(1_000_000)));
    const buffers = new Set(kept.prediction.outputs.map((tensor) => tensor.data.buffer));
    expect(buffers.size).toBe(1);
    expect([...buffers][0]!.byteLength).toBe(9);
  });

  it('copies nothing that no store would keep, and says its true size all the same', () => {
    const body = new Uint8Array(64);
    const shared = cacheEntryOf(predictionOn(body), {
      model: 'm',
      variant: 'v',
      expiresMs: 500 as Millis,
      maxBytes: 8,
      keyChars: 44,
    });
    expect(shared.prediction.outputs.every((tensor) => tensor.data.buffer === body.buffer)).toBe(true);
    expect(shared.sizeBytes).toBe(entry(predictionOn(body)).sizeBytes);
  });

  it('cannot be changed by one of the callers that get it', () => {
    const kept = entry(predictionOn(new Uint8Array(64)));
    const outputs = kept.prediction.outputs;
    expect(() => outputs.push(outputs[0]!)).toThrow(TypeError);
    expect(() => {
      outputs[0] = outputs[1]!;
    }).toThrow(TypeError);
    expect(Object.isFrozen(outputs[0]!.shape)).toBe(true);
  });

  it('counts bytes, names and shapes, and something for being there at all', () => {
    const small = entry({ outputs: [], computeUs: 0 });
    const large = entry(predictionOn(new Uint8Array(64)));
    expect(small.sizeBytes).toBeGreaterThan(500);
    expect(large.sizeBytes - small.sizeBytes).toBe(9 + 2 * ('scores'.length + 'label'.length + 'none'.length) + 8 * 4 + 3 * 224);
  });
});
