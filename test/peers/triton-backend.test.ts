import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InferStream } from '../support/infer-stream.ts';
import { StreamCaller } from '../support/stream-caller.ts';
import {
  type BehindGateway,
  expectDeathAndReturn,
  expectSame,
  outputsOf,
  putBehindGateway,
  WAYS,
} from './support/backend-cases.ts';
import type { PeerServer } from './support/peer-process.ts';
import { numbers, type RawInput, strings } from './support/tensors.ts';
import { startTritonServer } from './support/triton-server.ts';

let triton: PeerServer;
let behind: BehindGateway;

beforeAll(async () => {
  triton = await startTritonServer();
  behind = await putBehindGateway(triton, ['linear', 'types', 'running', 'repeat']);
});

afterAll(async () => {
  await behind?.stop();
  await triton?.remove();
});

const row = (...values: number[]): RawInput => numbers('x', 'FP32', [values.length / 4, 4], Float32Array.from(values));

/** Three elements of each datatype but BF16, which NumPy lacks; the least and the greatest among them. */
const EVERY_TYPE: readonly RawInput[] = [
  numbers('in_BOOL', 'BOOL', [3], Uint8Array.of(0, 1, 1)),
  numbers('in_UINT8', 'UINT8', [3], Uint8Array.of(0, 1, 255)),
  numbers('in_UINT16', 'UINT16', [3], Uint16Array.of(0, 1, 65_535)),
  numbers('in_UINT32', 'UINT32', [3], Uint32Array.of(0, 1, 4_294_967_295)),
  numbers('in_UINT64', 'UINT64', [3], BigUint64Array.of(0n, 9_007_199_254_740_993n, 18_446_744_073_709_551_615n)),
  numbers('in_INT8', 'INT8', [3], Int8Array.of(-128, -1, 127)),
  numbers('in_INT16', 'INT16', [3], Int16Array.of(-32_768, -1, 32_767)),
  numbers('in_INT32', 'INT32', [3], Int32Array.of(-2_147_483_648, -1, 2_147_483_647)),
  numbers('in_INT64', 'INT64', [3], BigInt64Array.of(-9_223_372_036_854_775_808n, -1n, 9_223_372_036_854_775_807n)),
  // 1, the smallest subnormal and -65504, the least.
  numbers('in_FP16', 'FP16', [3], Uint16Array.of(0x3c00, 0x0001, 0xfbff)),
  numbers('in_FP32', 'FP32', [3], Float32Array.of(-0, 1e-45, 3.4028234663852886e38)),
  numbers('in_FP64', 'FP64', [3], Float64Array.of(-0, 5e-324, Number.MAX_VALUE)),
  strings('in_BYTES', [3], ['', 'grüße', Buffer.from([0, 255, 128])]),
];

describe.each(WAYS)('Triton behind Sluice by %s', (_way, suffix) => {
  it('has its metadata read', async () => {
    const { message } = await behind.callers['alpha']!.call('ModelMetadata', { name: `linear${suffix}` });
    expect(message).toMatchObject({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'y', datatype: 'FP32', shape: [-1, 3] },
        { name: 'sum', datatype: 'INT64', shape: [-1, 1] },
      ],
    });
  });

  it('predicts as when it is asked directly, bit for bit', async () => {
    await expectSame(behind, `linear${suffix}`, [row(1, 2, 3, 4)]);
    await expectSame(behind, `linear${suffix}`, [row(1, 2, 3, 4, 5, 6, 7, 8)], ['sum']);
  });

  it('takes and gives every datatype, bit for bit', async () => {
    await expectSame(behind, `types${suffix}`, EVERY_TYPE);
    const answer = outputsOf(await behind.callers['alpha']!.infer(`types${suffix}`, EVERY_TYPE));
    for (const { name, raw } of EVERY_TYPE) expect(answer[name.replace('in_', 'out_')], name).toEqual(raw);
  });

  it('gives each of many callers at once the answer to what that one sent', async () => {
    const asked = Array.from({ length: 64 }, (_, i) => behind.callers['alpha']!.infer(`linear${suffix}`, [row(i, 0, 0, 0)]));
    const answers = (await Promise.all(asked)).map((answer) => outputsOf(answer)['sum']!.readBigInt64LE());
    expect(answers).toEqual(Array.from({ length: 64 }, (_, i) => BigInt(i)));
  });

  it('keeps sequences of two tenants apart that chose the same id', async () => {
    const add = async (tenant: string, value: number, start: boolean): Promise<number> => {
      const inputs = [numbers('x', 'INT32', [1, 1], Int32Array.of(value))];
      const parameters = { sequence_id: { int64_param: 7 }, sequence_start: { bool_param: start } };
      const answer = await behind.callers[tenant]!.infer(`running${suffix}`, inputs, { parameters });
      return outputsOf(answer)['total']!.readInt32LE();
    };
    expect(await add('alpha', 1, true)).toBe(1);
    expect(await add('beta', 100, true)).toBe(100);
    expect(await add('alpha', 2, false)).toBe(3);
    expect(await add('beta', 100, false)).toBe(200);
  });

  it('has its refusal translated', async () => {
    const answer = await behind.callers['alpha']!.infer(`linear${suffix}`, [row(-1, 0, 0, 0)]);
    expect(answer.code, answer.details).toBe(3);
  });

  it('is not waited for beyond the deadline of the caller', async () => {
    const parameters = { timeout: { int64_param: 300_000 } };
    const startedMs = performance.now();
    const answer = await behind.callers['alpha']!.infer(`linear${suffix}`, [row(-2, 0, 0, 0)], { parameters });
    expect(answer.code, answer.details).toBe(4);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it('does not ask a decoupled model for one answer', async () => {
    const answer = await behind.callers['alpha']!.infer(`repeat${suffix}`, [numbers('times', 'INT32', [1], Int32Array.of(2))]);
    expect(answer.code, answer.details).not.toBe(0);
  });
});

describe('a decoupled model of Triton behind Sluice', () => {
  /** Two requests on one stream; every answer of the server at `address`, by the id of its request. */
  async function repeated(address: string, key: string): Promise<readonly unknown[]> {
    const caller = new StreamCaller(address);
    const stream = new InferStream(caller, key);
    const parameters = { triton_enable_empty_final_response: { bool_param: true } };
    const ask = (id: string, times: number, more: object): void => {
      const inputs = [{ name: 'times', datatype: 'INT32', shape: [1] }];
      const raw_input_contents = [Buffer.from(Int32Array.of(times).buffer)];
      stream.send({ model_name: 'repeat', id, inputs, raw_input_contents, ...more });
    };
    ask('unmarked', 5, {});
    await stream.call.messages(5);
    ask('marked', 3, { parameters });
    // Three answers, and an empty one that is the last.
    await stream.call.messages(9);
    stream.end();
    await stream.call.status;
    caller.close();
    return stream.answers.map(({ id, error, response, parameters: { triton_final_response } }) => ({
      id,
      error,
      final: id === 'marked' ? triton_final_response : undefined,
      outputs: response['outputs'],
      raw: response['raw_output_contents'],
    }));
  }

  it('answers over a stream as when it is asked directly, answer for answer and mark for mark', async () => {
    const through = await repeated(behind.gateway.grpcAddress, behind.gateway.keys['alpha']!);
    expect(through).toEqual(await repeated(triton.grpcAddress, ''));
    expect(through).toHaveLength(9);
  });

  it('answers as server-sent events', async () => {
    const response = await fetch(`${behind.gateway.httpUrl}/v2/models/repeat/generate_stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${behind.gateway.keys['alpha']}`, 'content-type': 'application/json' },
      body: JSON.stringify({ times: 3 }),
    });
    const events = (await response.text()).trim().split('\n\n');
    expect(events.map((event) => JSON.parse(event.replace('data: ', '')).nth)).toEqual([0, 1, 2]);
  });
});

describe('Triton that dies', () => {
  it('is unavailable at once, and answers again when it is back', async () => {
    await expectDeathAndReturn(behind, triton, 'linear', [row(1, 2, 3, 4)]);
  });
});
