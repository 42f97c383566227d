import type { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { env, InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { afterEach, describe, expect, it } from 'vitest';
import type { OnnxBackend } from '../../../../src/backends/onnx/onnx-backend.ts';
import { startThread } from '../../../../src/backends/onnx/thread-file.ts';
import { type Datatype, elementBytes } from '../../../../src/core/datatype.ts';
import { Fault } from '../../../../src/core/faults.ts';
import type { Tensor } from '../../../../src/core/inference.ts';
import { affineModel, identityModel, joinModel, lookupModel, positiveModel, slowModel } from '../../../support/onnx-models.ts';
import { tick } from './fake-threads.ts';
import { answer, begin, floatsOf, fp32, int64, int64Of, OPTIONS, requestOf, Scene, strings, stringsOf } from './scene.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const bytesOf = (data: OrtTensor.DataType): Uint8Array => {
  const { buffer, byteOffset, byteLength } = data as Float32Array<ArrayBuffer>;
  return new Uint8Array(buffer, byteOffset, byteLength);
};

const NUMBERS: readonly Datatype[] = [
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
];

const batching = { maxRows: 16, maxDelayUs: 0 };
const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

describe('runs of ONNX models', () => {
  let scene: Scene;

  async function warm(model: Uint8Array, fields: Parameters<Scene['backend']>[1] = {}): Promise<OnnxBackend> {
    scene = new Scene();
    const backend = scene.backend(model, fields);
    await backend.warm();
    return backend;
  }

  afterEach(() => scene.close());

  it('give bit for bit what onnxruntime gives, alone and in a batch, wherever the bytes of a request lie', async () => {
    env.logLevel = 'fatal';
    const direct = await InferenceSession.create(affineModel());
    const backend = await warm(affineModel(), { batching });
    const requests = fc.array(fc.array(fc.array(finite, { minLength: 7, maxLength: 7 }), { maxLength: 4 }), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(requests, fc.integer({ min: 0, max: 3 }), async (bodies, shift) => {
        const answers = bodies.map((rows) =>
          answer(backend, requestOf([shifted(fp32('x', [rows.length, 7], rows.flat()), shift)])),
        );
        for (const [i, outputs] of (await Promise.all(answers)).entries()) {
          const rows = bodies[i]!;
          const x = new OrtTensor('float32', Float32Array.from(rows.flat()), [rows.length, 7]);
          const expected = await direct.run({ x });
          expect(outputs.map(({ name, shape, data }) => [name, shape, hex(data)])).toEqual(
            ['y', 'z'].map((name) => [name, expected[name]!.dims, hex(bytesOf(expected[name]!.data as OrtTensor.DataType))]),
          );
        }
      }),
      { numRuns: 40 },
    );
    expect(Math.max(...scene.batches)).toBeGreaterThan(4);
  });

  it.each(NUMBERS)('carry %s as it came', async (datatype) => {
    const backend = await warm(identityModel(datatype, ['n', 3]), { batching });
    expect((await backend.warm()).inputs).toEqual([{ name: 'x', datatype, shape: [-1, 3] }]);
    const size = elementBytes(datatype);
    const data = Uint8Array.from({ length: 6 * size }, (_, i) => (i * 37 + 11) & 0x7f);
    const [y] = await answer(backend, requestOf([{ name: 'x', datatype, shape: [2, 3], data }]));
    expect([y!.datatype, y!.shape, hex(y!.data)]).toEqual([datatype, [2, 3], hex(data)]);
    const [none] = await answer(backend, requestOf([{ name: 'x', datatype, shape: [0, 3], data: new Uint8Array(0) }]));
    expect([none!.shape, none!.data.length]).toEqual([[0, 3], 0]);
  });

  it('carry BOOL, with each true as 1', async () => {
    const backend = await warm(identityModel('BOOL', ['n']));
    const [y] = await answer(
      backend,
      requestOf([{ name: 'x', datatype: 'BOOL', shape: [4], data: Uint8Array.of(0, 1, 2, 255) }]),
    );
    expect(Array.from(y!.data)).toEqual([0, 1, 1, 1]);
  });

  it('carry scalars', async () => {
    const backend = await warm(identityModel('FP32', []));
    const [y] = await answer(backend, requestOf([fp32('x', [], [5])]));
    expect([y!.shape, floatsOf(y!)]).toEqual([[], [5]]);
  });

  it('carry text of any length and alphabet, with rows of several callers in one run', async () => {
    const backend = await warm(joinModel(), { batching });
    const rows = fc.array(fc.tuple(text(), text(), text()), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(rows, { minLength: 1, maxLength: 6 }), async (bodies) => {
        const answers = await Promise.all(
          bodies.map((body, n) =>
            answer(
              backend,
              requestOf([
                int64('count', [body.length], Array(body.length).fill(n)),
                strings(
                  'b',
                  [body.length, 2],
                  body.flatMap(([, b, c]) => [b, c]),
                ),
                strings(
                  'a',
                  [body.length, 1],
                  body.map(([a]) => a),
                ),
              ]),
            ),
          ),
        );
        for (const [n, [y, counted]] of answers.entries()) {
          expect([y!.shape, stringsOf(y!)]).toEqual([[bodies[n]!.length, 3], bodies[n]!.flat()]);
          expect(int64Of(counted!)).toEqual(Array(bodies[n]!.length).fill(n));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('share a run only among calls that agree on the free dimensions', async () => {
    const backend = await warm(joinModel(), { batching });
    const bodies = [1, 2, 1, 2, 1].map((n) => Array.from({ length: n }, (_, i) => `${n}${i}`));
    const answers = bodies.map((a) =>
      answer(backend, requestOf([strings('a', [1, a.length], a), strings('b', [1, 1], ['b']), int64('count', [1], [0])])),
    );
    expect((await Promise.all(answers)).map(([y]) => stringsOf(y!))).toEqual(bodies.map((a) => [...a, 'b']));
    expect(scene.batches).toEqual([3, 2]);
  });

  it('refuse text that onnxruntime would change, and answer those who shared its run', async () => {
    const backend = await warm(identityModel('BYTES', ['n']), { batching });
    const good = begin(backend, requestOf([strings('x', [1], ['good'])]));
    const nul = begin(backend, requestOf([strings('x', [1], ['a\0b'])]));
    const broken = begin(backend, requestOf([{ ...strings('x', [1], ['?']), data: Uint8Array.of(2, 0, 0, 0, 0xc3, 0x28) }]));
    const mark = begin(backend, requestOf([strings('x', [1], ['\ufeffmark'])]));
    await Promise.all([good, nul, broken, mark].map(({ sink }) => sink.closed));
    expect([nul, broken].map(({ sink }) => sink.fault)).toEqual([Fault.BadRequest, Fault.BadRequest]);
    expect(nul.sink.detail).toBe('element 0 of input "x" holds a NUL byte, which ends a string in onnxruntime');
    expect(broken.sink.detail).toContain('is not UTF-8');
    expect([good, mark].map(({ sink }) => stringsOf(sink.prediction!.outputs[0]!))).toEqual([['good'], ['\ufeffmark']]);
  });

  it('fail for the caller alone whose input makes the model throw', async () => {
    const backend = await warm(lookupModel(), { batching });
    const calls = [0, 1, 9, 2, -3].map((index) => begin(backend, requestOf([int64('x', [1], [index])])));
    await Promise.all(calls.map(({ sink }) => sink.closed));
    expect(calls.map(({ sink }) => sink.prediction && floatsOf(sink.prediction.outputs[0]!))).toEqual([
      [0, 1],
      [10, 11],
      null,
      [20, 21],
      [0, 1],
    ]);
    expect(calls[2]!.sink).toMatchObject({ fault: Fault.BackendFailed, reached: true });
    expect(calls[2]!.sink.detail).toMatch(/^the model run failed: .*indices element out of data bounds, idx=9/);
  });

  it('fall back to single runs when the outputs have no row for each row', async () => {
    const backend = await warm(positiveModel(), { batching });
    const bodies = [[1, -1, 2], [-1], [3, 4]];
    const answers = await Promise.all(bodies.map((values) => answer(backend, requestOf([fp32('x', [values.length], values)]))));
    expect(answers.map(([y]) => floatsOf(y!))).toEqual([[1, 2], [], [3, 4]]);
  });

  it('give only the outputs asked for, in the order asked', async () => {
    const backend = await warm(affineModel(), { batching });
    const x = fp32('x', [1, 7], [1, 2, 3, 4, 5, 6, 7]);
    const answers = await Promise.all([[], ['z'], ['z', 'y']].map((wanted) => answer(backend, requestOf([x], wanted))));
    expect(answers.map((outputs) => outputs.map(({ name }) => name))).toEqual([['y', 'z'], ['z'], ['z', 'y']]);
  });

  it('refuse inputs that are not the ones of the signature, before they share a buffer with others', async () => {
    const backend = await warm(affineModel(), { batching });
    const x = fp32('x', [1, 7], [1, 2, 3, 4, 5, 6, 7]);
    const wrong: [Tensor[], string][] = [
      [[], '0 inputs came where the model takes 1'],
      [[{ ...x, name: 'w' }], 'input "x" is missing'],
      [[{ ...x, datatype: 'INT32' }], 'input "x" is INT32 where the model takes FP32'],
      [[{ ...x, shape: [1, 8] }], 'input "x" has shape [1,8] where the model takes [-1,7]'],
      [[{ ...x, shape: [7] }], 'input "x" has shape [7] where the model takes [-1,7]'],
      [[{ ...x, shape: [2, 7] }], 'input "x" has 28 bytes where its shape takes 56'],
    ];
    for (const [inputs, detail] of wrong) {
      const { sink } = begin(backend, requestOf(inputs));
      await sink.closed;
      expect(sink).toMatchObject({ fault: Fault.BadRequest, detail, reached: false });
    }
    const text = scene.backend(identityModel('BYTES', ['n']));
    await text.warm();
    const { sink } = begin(text, requestOf([strings('x', [2], ['one'])]));
    await sink.closed;
    expect(sink.detail).toBe('input "x" does not hold the 2 strings of its shape');
  });

  it('answer when a thread is lost in the midst of a run', async () => {
    const threads: Worker[] = [];
    scene = new Scene({
      startThread: (name) => {
        const thread = startThread(name);
        threads.push(thread as Worker);
        return thread;
      },
    });
    const backend = scene.backend(slowModel());
    await backend.warm();
    const lost = begin(backend, requestOf([int64('rounds', [1], [2_000])]));
    await tick();
    await threads[0]!.terminate();
    await lost.sink.closed;
    expect(lost.sink).toMatchObject({ events: ['fault BACKEND_FAILED', 'closed'], reached: true });
    const next = begin(backend, requestOf([int64('rounds', [1], [1])]));
    await next.sink.closed;
    expect(next.sink.events).toEqual(['prediction', 'end', 'closed']);
    expect(threads).toHaveLength(2);
  });

  it('do not block the event loop', async () => {
    const backend = await warm(slowModel());
    const { sink } = begin(backend, requestOf([int64('rounds', [1], [1_000])]), OPTIONS);
    let ticks = 0;
    const counting = setInterval(() => ticks++, 1);
    await sink.closed;
    clearInterval(counting);
    const runMs = sink.prediction!.computeUs / 1_000;
    expect(runMs).toBeGreaterThan(5);
    expect(ticks).toBeGreaterThan(runMs / 10);
  });
});

/** The same tensor, with its bytes at an odd place of a larger buffer. */
function shifted(tensor: Tensor, by: number): Tensor {
  const larger = new Uint8Array(tensor.data.length + by);
  larger.set(tensor.data, by);
  return { ...tensor, data: larger.subarray(by) };
}

const text = (): fc.Arbitrary<string> =>
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((value) => value.replaceAll('\0', ''));
