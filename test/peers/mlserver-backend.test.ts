import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inferRest } from '../support/clients.ts';
import {
  type BehindGateway,
  expectDeathAndReturn,
  expectSame,
  outputsOf,
  putBehindGateway,
  WAYS,
} from './support/backend-cases.ts';
import { startMlServer } from './support/mlserver.ts';
import type { PeerServer } from './support/peer-process.ts';
import { numbers, type RawInput, strings } from './support/tensors.ts';

let mlserver: PeerServer;
let behind: BehindGateway;

beforeAll(async () => {
  mlserver = await startMlServer();
  behind = await putBehindGateway(mlserver, ['digits8x8', 'digits8x8-both', 'sums']);
});

afterAll(async () => {
  await behind?.stop();
  await mlserver?.remove();
});

/** The connection is lost between two requests by chance: about every second time. */
const HANG_UPS = 10;
const ROWS = 5;
const scans = Float64Array.from({ length: ROWS * 64 }, (_, i) => ((i * 37) % 17) / 16);
const pixels = numbers('pixels', 'FP64', [ROWS, 64], scans);
const sums = (words: readonly string[]): RawInput[] => [
  numbers(
    'x',
    'FP32',
    [words.length, 3],
    Float32Array.from({ length: words.length * 3 }, (_, i) => i / 3),
  ),
  strings('text', [words.length, 1], words),
];

describe.each(WAYS)('MLServer behind Sluice by %s', (_way, suffix) => {
  it('has its metadata read', async () => {
    const { message } = await behind.callers['alpha']!.call('ModelMetadata', { name: `sums${suffix}` });
    expect(message).toMatchObject({
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [-1, 3] },
        { name: 'text', datatype: 'BYTES', shape: [-1, 1] },
      ],
      outputs: [
        { name: 'sum', datatype: 'FP32', shape: [-1, 1] },
        { name: 'upper', datatype: 'BYTES', shape: [-1, 1] },
      ],
    });
  });

  it('predicts with scikit-learn as when it is asked directly, bit for bit', async () => {
    await expectSame(behind, `digits8x8${suffix}`, [pixels]);
  });

  it('predicts with a custom runtime as when it is asked directly, text beyond ASCII included', async () => {
    await expectSame(behind, `sums${suffix}`, sums(['grüße', '', '🎉 ok']));
  });

  it('gives just the outputs that are named', async () => {
    await expectSame(behind, `digits8x8-both${suffix}`, [pixels], ['predict_proba']);
    await expectSame(behind, `digits8x8-both${suffix}`, [pixels], ['predict', 'predict_proba']);
  });

  it('answers REST callers with the same numbers and the same text', async () => {
    const words = ['grüße', 'ok'];
    const answer = await inferRest(behind.gateway, {
      key: behind.gateway.keys['alpha']!,
      model: `sums${suffix}`,
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [2, 3], data: [0.1, 2, 3, 4, 5, 1e-3] },
        { name: 'text', datatype: 'BYTES', shape: [2, 1], data: words },
      ],
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const [sum, upper] = answer.body['outputs'] as { data: unknown[] }[];
    const inputs = [numbers('x', 'FP32', [2, 3], Float32Array.of(0.1, 2, 3, 4, 5, 1e-3)), strings('text', [2, 1], words)];
    const direct = outputsOf(await behind.direct.infer('sums', inputs));
    expect(Buffer.from(Float32Array.from(sum!.data as number[]).buffer)).toEqual(direct['sum']);
    expect(strings('upper', [2, 1], upper!.data as string[]).raw).toEqual(direct['upper']);
  });

  it('gives all outputs that it declares when none is named, though it would leave one out by itself', async () => {
    expect(Object.keys(outputsOf(await behind.direct.infer('digits8x8-both', [pixels])))).toEqual(['predict']);
    const all = outputsOf(await behind.callers['alpha']!.infer(`digits8x8-both${suffix}`, [pixels]));
    const named = await behind.direct.infer('digits8x8-both', [pixels], {
      outputs: [{ name: 'predict' }, { name: 'predict_proba' }],
    });
    expect(all).toEqual(outputsOf(named));
  });

  it.each([
    ['refuse', 3],
    ['fail', 14],
  ])('has its errors translated: %s', async (word, code) => {
    const answer = await behind.callers['alpha']!.infer(`sums${suffix}`, sums([word]));
    expect(answer.code, answer.details).toBe(code);
    expect(answer.details).not.toContain('bug');
  });

  it('answers the next request after an error, for which its HTTP server hangs up', async () => {
    for (let round = 0; round < HANG_UPS; round++) {
      await behind.callers['alpha']!.infer(`sums${suffix}`, sums(['fail']));
      const answer = await behind.callers['alpha']!.infer(`sums${suffix}`, sums(['ok']));
      expect(answer.code, `${answer.details} Round ${round}.`).toBe(0);
    }
  });

  it('is not waited for beyond the deadline of the caller', async () => {
    const answer = await behind.callers['alpha']!.call(
      'ModelInfer',
      {
        model_name: `sums${suffix}`,
        inputs: sums(['sleep']).map(({ name, datatype, shape }) => ({ name, datatype, shape })),
        raw_input_contents: sums(['sleep']).map(({ raw }) => raw),
      },
      { 'x-sluice-timeout-ms': '300' },
    );
    expect(answer.code, answer.details).toBe(4);
  });
});

describe('MLServer that dies', () => {
  it('is unavailable at once, and answers again when it is back', async () => {
    await expectDeathAndReturn(behind, mlserver, 'digits8x8', [pixels]);
  });
});
