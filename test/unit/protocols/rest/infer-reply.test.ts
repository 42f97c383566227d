import { gunzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { joinByteStrings } from '../../../../src/core/byte-strings.ts';
import type { RequestContext } from '../../../../src/core/context.ts';
import { Fault } from '../../../../src/core/faults.ts';
import type { Tensor } from '../../../../src/core/inference.ts';
import { Verdict } from '../../../../src/core/verdict.ts';
import { decodeNow, noise } from './binary-fakes.ts';
import { contextOf, DIGITS_V1, rest } from './rest-fakes.ts';

const HALF: Tensor = { name: 'half', datatype: 'FP16', shape: [2], data: Uint8Array.of(0, 60, 1, 2) };
const BLOB: Tensor = { name: 'blob', datatype: 'BYTES', shape: [1], data: joinByteStrings([Uint8Array.of(0xff)]) };
const SCORES: Tensor = { name: 'scores', datatype: 'FP32', shape: [1], data: Uint8Array.of(0, 0, 128, 63) };
const NONE: Tensor = { name: 'none', datatype: 'FP32', shape: [0], data: new Uint8Array(0) };

/** The reply to a request that says `wishes` about its outputs. */
function replyTo(wishes: object, outputs: Tensor[], fields: Readonly<Record<string, string>> = {}): RequestContext {
  const ctx = decodeNow(fields, [Buffer.from(JSON.stringify({ id: 'é', inputs: [], ...wishes }))]);
  expect(ctx.faultDetail).toBe('');
  ctx.prediction = { outputs, computeUs: 1 };
  ctx.answeredBy = DIGITS_V1;
  return ctx;
}

function written(ctx: RequestContext): { head: unknown; tail: Buffer; fields: readonly string[]; type: string } {
  expect(ctx.codec.encode(ctx)).toBeUndefined();
  const { headers, pieces, contentType } = ctx.reply;
  const body = Buffer.concat(pieces);
  const at = headers.indexOf('inference-header-content-length');
  const length = at === -1 ? body.length : Number(headers[at + 1]);
  return {
    head: JSON.parse(body.subarray(0, length).toString()),
    tail: body.subarray(length),
    fields: headers,
    type: contentType,
  };
}

const ALL_BINARY = { parameters: { binary_data_output: true } };
const head = (...outputs: object[]): object => ({ model_name: 'digits', model_version: 'v1', id: 'é', outputs });
const binary = ({ name, datatype, shape, data }: Tensor): object => ({
  name,
  shape,
  datatype,
  parameters: { binary_data_size: data.length },
});

describe('an answer with binary outputs', () => {
  it('is a JSON head and the bytes of the outputs in their order', () => {
    const reply = written(replyTo(ALL_BINARY, [HALF, NONE, BLOB]));
    expect(reply.head).toEqual(head(binary(HALF), binary(NONE), binary(BLOB)));
    expect(reply.tail).toEqual(Buffer.concat([HALF.data, BLOB.data]));
    expect(reply.type).toBe('application/octet-stream');
  });

  it('copies no tensor', () => {
    const ctx = replyTo(ALL_BINARY, [HALF, BLOB]);
    ctx.codec.encode(ctx);
    expect(ctx.reply.pieces.slice(-2)).toEqual([HALF.data, BLOB.data]);
    expect(ctx.reply.pieces.at(-2)).toBe(HALF.data);
  });

  it('holds outputs in JSON among binary ones, as each was asked for', () => {
    const wishes = { ...ALL_BINARY, outputs: [{ name: 'half' }, { name: 'scores', parameters: { binary_data: false } }] };
    const reply = written(replyTo(wishes, [HALF, SCORES]));
    expect(reply.head).toEqual(head(binary(HALF), { name: 'scores', shape: [1], datatype: 'FP32', data: [1] }));
    expect(reply.tail).toEqual(Buffer.from(HALF.data));
  });

  it('is plain JSON when no output is binary', () => {
    const reply = written(replyTo({ outputs: [{ name: 'half', parameters: { binary_data: true } }] }, [SCORES]));
    expect(reply).toMatchObject({ fields: [], type: 'application/json', tail: Buffer.alloc(0) });
    expect(written(replyTo(ALL_BINARY, []))).toMatchObject({ fields: [], type: 'application/json' });
  });

  it('has the content type of SageMaker where the request had it', () => {
    const type = 'application/vnd.sagemaker-triton.binary+json;json-header-size=';
    const length = Buffer.byteLength(JSON.stringify({ id: 'é', inputs: [], ...ALL_BINARY }));
    const reply = written(replyTo(ALL_BINARY, [HALF], { 'content-type': type + length }));
    expect(reply.type).toBe(type + reply.fields[1]);
    expect(reply.tail).toEqual(Buffer.from(HALF.data));
  });

  it('says how to ask for what JSON cannot say', () => {
    for (const output of [HALF, BLOB]) {
      const ctx = replyTo({}, [output]);
      ctx.codec.encode(ctx);
      expect(ctx.fault).toBe(Fault.NotSupported);
      expect(ctx.faultDetail).toContain('ask for it as binary data (parameters.binary_data) or over gRPC');
      expect(ctx.reply.status).toBe(501);
    }
  });
});

describe('outputs that JSON cannot say', () => {
  const decode = (wishes: object): string => {
    const body = [Buffer.from(JSON.stringify({ inputs: [], ...wishes }))];
    const ctx = contextOf(rest(), { method: 'POST', path: '/v2/models/halves/infer', body, models: ['halves'] });
    return ctx.codec.decode(ctx) === Verdict.Next ? 'taken' : `${ctx.fault!.code}: ${ctx.faultDetail}`;
  };

  it('are refused with the request, before a backend works for nothing', () => {
    const advice = 'data has no JSON form: ask for it as binary data (parameters.binary_data) or over gRPC';
    expect(decode({})).toBe(`NOT_SUPPORTED: output "half": FP16 ${advice}`);
    expect(decode({ outputs: [{ name: 'scores' }, { name: 'brain' }] })).toBe(`NOT_SUPPORTED: output "brain": BF16 ${advice}`);
    expect(decode({ ...ALL_BINARY, outputs: [{ name: 'half', parameters: { binary_data: false } }] })).toContain('"half"');
  });

  it('pass where they are left out or asked for as binary', () => {
    expect(decode(ALL_BINARY)).toBe('taken');
    expect(decode({ outputs: [{ name: 'scores' }] })).toBe('taken');
    expect(decode({ outputs: [{ name: 'scores' }, { name: 'half', parameters: { binary_data: true } }] })).toBe('taken');
  });
});

describe('an answer to a caller that takes packed ones', () => {
  const LONG: Tensor = { name: 'scores', datatype: 'FP32', shape: [1_000], data: new Uint8Array(4_000).fill(1) };
  const packed = async (accept: string, wishes: object = {}, output = LONG): Promise<RequestContext> => {
    const ctx = replyTo(wishes, [output], { 'accept-encoding': accept });
    await ctx.codec.encode(ctx);
    return ctx;
  };
  const plain = (wishes: object = {}): Buffer => {
    const ctx = replyTo(wishes, [LONG]);
    ctx.codec.encode(ctx);
    return Buffer.concat(ctx.reply.pieces);
  };

  it.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
    ['br, deflate;q=0.5, gzip;q=0.25', inflateSync],
    ['*', gunzipSync],
    ['gzip, deflate, br', gunzipSync],
  ] as const)('is packed for %j', async (accept, unpack) => {
    const { reply } = await packed(accept);
    expect(reply.headers).toEqual(['content-encoding', unpack === gunzipSync ? 'gzip' : 'deflate', 'vary', 'accept-encoding']);
    expect(unpack(Buffer.concat(reply.pieces))).toEqual(plain());
  });

  it('states the length of its JSON as it is when unpacked', async () => {
    const { reply } = await packed('gzip', ALL_BINARY);
    expect(reply.headers.slice(2)).toEqual(['content-encoding', 'gzip', 'vary', 'accept-encoding']);
    const body = gunzipSync(Buffer.concat(reply.pieces));
    expect(body).toEqual(plain(ALL_BINARY));
    expect(body.subarray(Number(reply.headers[1]))).toEqual(Buffer.from(LONG.data));
  });

  it.each(['', 'identity', 'br', 'gzip;q=0', 'gzip;q=0, *;q=0', 'identity, gzip;q=0.5', 'gzip;q=high'])(
    'is left as it is for %j',
    async (accept) => {
      expect((await packed(accept)).reply.headers).toEqual([]);
    },
  );

  it('is left as it is when it is short, or would not shrink', async () => {
    expect((await packed('gzip', {}, SCORES)).reply.headers).toEqual([]);
    const random: Tensor = { name: 'n', datatype: 'UINT8', shape: [4_000], data: noise(4_000) };
    expect((await packed('gzip', ALL_BINARY, random)).reply.headers).toEqual([
      'inference-header-content-length',
      expect.any(String),
    ]);
  });
});
