import { afterAll, describe, expect, it } from 'vitest';
import { ThreadPool } from '../../../../src/gateway/offload/thread-pool.ts';
import { READ_INFER } from '../../../../src/protocols/rest/read-infer.ts';
import { WRITE_TENSORS } from '../../../../src/protocols/tensor-texts.ts';

const ended: string[] = [];
const pool = new ThreadPool({
  threads: 1,
  inlineBytes: 1,
  maxQueued: 8,
  timeoutMs: 15_000,
  onThreadEnded: (reason) => ended.push(reason),
});
pool.start();
afterAll(() => pool.close());

const asked = (jsonBytes: number, hasTail: boolean) => ({
  maxJsonDepth: 8,
  maxTensors: 4,
  model: 'm',
  version: '',
  jsonBytes,
  hasTail,
});

describe('a real thread', () => {
  it('reads a body as it is read in place, small tensors and views on the body included', async () => {
    const json = Buffer.from(
      '{"inputs":[{"name":"x","datatype":"INT8","shape":[2],"data":[1,-1]},{"name":"y","datatype":"UINT8","shape":[3],"parameters":{"binary_data_size":3}}]}',
    );
    const body = Buffer.concat([json, Buffer.from([7, 8, 9])]);
    const here = READ_INFER.run(asked(json.length, true), [body]);
    const there = await pool.run(READ_INFER, asked(json.length, true), [body], { call: null });
    expect(there.value).toEqual(here.value);
    expect(there.bytes.map((piece) => [...piece])).toEqual([
      [1, 255],
      [7, 8, 9],
    ]);
  });

  it('says what is wrong as it is said in place', async () => {
    const body = Buffer.from('{"inputs":[{]}');
    const there = await pool.run(READ_INFER, asked(body.length, false), [body], { call: null });
    expect(there.value).toEqual(READ_INFER.run(asked(body.length, false), [body]).value);
    expect(there.value.request).toBeNull();
  });

  it('writes tensors', async () => {
    const head = { name: 'y', datatype: 'UINT8' as const, shape: [3], data: new Uint8Array(0) };
    const { value, bytes } = await pool.run(WRITE_TENSORS, [head], [Buffer.from([1, 2, 3])], { call: null });
    expect([value, Buffer.from(bytes[0]!).toString()]).toEqual([[''], '[1,2,3]']);
    expect(ended).toEqual([]);
  });
});
