import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../scripts/models/digits-data.ts';
import { GrpcCaller, inferRest, rawOutputs } from '../support/clients.ts';
import { onnxVariant, TENANTS } from '../support/configs.ts';
import { type GatewayUnderTest, MODEL_DIR, metric, startGateway } from '../support/gateway-under-test.ts';

const samples = loadDigits().heldOut.slice(0, 64);
let gateway: GatewayUnderTest;
let grpc: GrpcCaller;
let digits: InferenceSession;
let spam: InferenceSession;

beforeAll(async () => {
  digits = await InferenceSession.create(join(MODEL_DIR, 'digits/v1.onnx'), { intraOpNumThreads: 1 });
  spam = await InferenceSession.create(join(MODEL_DIR, 'spam/v1.onnx'), { intraOpNumThreads: 1 });
  const batched = { kind: 'onnx', path: join(MODEL_DIR, 'digits/v1.onnx'), batching: { maxRows: 32, maxDelayUs: 2_000 } };
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] },
      batched: { variants: [{ name: 'v1', role: 'stable', backend: batched }] },
      spam: { variants: [onnxVariant('v1', 'stable', 'spam/v1.onnx')] },
    },
  });
  grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
});

afterAll(async () => {
  grpc.close();
  expect(await gateway.stop()).toBe(0);
});

/** The same input run directly: probabilities and labels as bytes. */
async function direct(images: readonly Float32Array[]): Promise<{ probabilities: Buffer; label: Buffer }> {
  const data = new Float32Array(images.length * 784);
  for (const [i, image] of images.entries()) data.set(image, i * 784);
  const result = await digits.run({ image: new Tensor('float32', data, [images.length, 28, 28]) });
  const bytes = (name: string): Buffer => {
    const values = result[name]!.data as Float32Array | BigInt64Array;
    return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  };
  return { probabilities: bytes('probabilities'), label: bytes('label') };
}

const rawImages = (images: readonly Float32Array[]): Buffer =>
  Buffer.concat(images.map((image) => Buffer.from(image.buffer, image.byteOffset, image.byteLength)));

const imageInput = (images: readonly Float32Array[]) => ({
  name: 'image',
  datatype: 'FP32',
  shape: [images.length, 28, 28],
  raw: rawImages(images),
});

describe('a prediction through the gateway', () => {
  it('equals the model run directly, bit for bit, over gRPC with raw contents', async () => {
    for (const { pixels } of samples.slice(0, 8)) {
      const answer = await grpc.infer('digits', [imageInput([pixels])], { id: 'mine' });
      expect(answer.code, answer.details).toBe(0);
      expect(answer.message['id']).toBe('mine');
      expect(answer.message['model_version']).toBe('v1');
      expect(rawOutputs(answer)).toEqual(await direct([pixels]));
    }
  });

  it('equals the model run directly over gRPC with typed contents', async () => {
    const { pixels } = samples[0]!;
    const answer = await grpc.call('ModelInfer', {
      model_name: 'digits',
      inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 28, 28], contents: { fp32_contents: [...pixels] } }],
    });
    expect(answer.code, answer.details).toBe(0);
    expect(rawOutputs(answer)).toEqual(await direct([pixels]));
  });

  it('equals the model run directly over REST: each number reads back as the same FP32', async () => {
    for (const { pixels } of samples.slice(0, 4)) {
      const data = [...pixels];
      const answer = await inferRest(gateway, {
        key: gateway.keys['alpha']!,
        model: 'digits',
        id: 'r1',
        inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 28, 28], data }],
      });
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      expect(answer.body['id']).toBe('r1');
      const outputs = answer.body['outputs'] as { name: string; data: number[] }[];
      const probabilities = Float32Array.from(outputs.find((output) => output.name === 'probabilities')!.data);
      expect(Buffer.from(probabilities.buffer)).toEqual((await direct([pixels])).probabilities);
    }
  });

  it('equals the model run directly when one request holds many rows', async () => {
    const images = samples.slice(0, 32).map((sample) => sample.pixels);
    const answer = await grpc.infer('digits', [imageInput(images)]);
    expect(rawOutputs(answer)).toEqual(await direct(images));
  });

  it('equals the model run directly when rows of many callers share a run', async () => {
    const before = await metric(gateway, 'sluice_batch_rows_count', { model: 'batched' });
    const answers = await Promise.all(samples.map(({ pixels }) => grpc.infer('batched', [imageInput([pixels])])));
    for (let i = 0; i < samples.length; i++) {
      expect(rawOutputs(answers[i]!)).toEqual(await direct([samples[i]!.pixels]));
    }
    const runs = (await metric(gateway, 'sluice_batch_rows_count', { model: 'batched' })) - before;
    expect(runs).toBeGreaterThan(0);
    expect(runs).toBeLessThan(samples.length);
  });

  it('takes text as BYTES over both faces', async () => {
    const text = 'free money winner click here now';
    const result = await spam.run({ text: new Tensor('string', [text], [1]) });
    const expected = result['probabilities']!.data as Float32Array;
    const rest = await inferRest(gateway, {
      key: gateway.keys['alpha']!,
      model: 'spam',
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: [text] }],
    });
    expect(rest.status, JSON.stringify(rest.body)).toBe(200);
    const outputs = rest.body['outputs'] as { name: string; data: number[] }[];
    expect(Float32Array.from(outputs.find((output) => output.name === 'probabilities')!.data)).toEqual(expected);
    const bytes = Buffer.from(text);
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(bytes.length);
    const raw = Buffer.concat([prefix, bytes]);
    const answer = await grpc.infer('spam', [{ name: 'text', datatype: 'BYTES', shape: [1], raw }]);
    expect(answer.code, answer.details).toBe(0);
    expect(rawOutputs(answer)['probabilities']).toEqual(Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength));
  });

  it('names the request, the variant, the cache, the cost and the limit in its header fields', async () => {
    const { pixels } = samples[1]!;
    const inputs = [{ name: 'image', datatype: 'FP32', shape: [1, 28, 28], data: [...pixels] }];
    const { headers } = await inferRest(gateway, {
      key: gateway.keys['alpha']!,
      model: 'digits',
      inputs,
      headers: { 'x-request-id': 'abc-1' },
    });
    expect(headers.get('x-request-id')).toBe('abc-1');
    expect(headers.get('x-sluice-variant')).toBe('v1');
    expect(headers.get('x-sluice-cache')).toBe('bypass');
    expect(headers.get('x-sluice-cost-nano-usd')).toBe('0');
    expect(headers.get('ratelimit')).toMatch(/^"requests";r=\d+;t=\d+$/);
    expect(headers.get('ratelimit-policy')).toMatch(/^"requests";q=1000000;w=1$/);
    const answer = await grpc.infer('digits', [imageInput([pixels])]);
    expect(answer.metadata.get('x-sluice-variant')).toEqual(['v1']);
  });
});

describe('questions about models', () => {
  it('are answered over REST to those who may use them', async () => {
    const headers = { authorization: `Bearer ${gateway.keys['alpha']}` };
    const get = async (path: string) => (await fetch(`${gateway.httpUrl}${path}`, { headers })).json();
    expect(await get('/v2')).toMatchObject({ name: 'sluice' });
    expect(await get('/v2/models')).toEqual({ models: ['batched', 'digits', 'spam'] });
    expect(await get('/v2/models/digits')).toMatchObject({
      name: 'digits',
      versions: ['v1'],
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 28, 28] }],
      outputs: [
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 10] },
        { name: 'label', datatype: 'INT64', shape: [-1] },
      ],
    });
    expect((await fetch(`${gateway.httpUrl}/v2/models/digits/versions/v1/ready`, { headers })).status).toBe(200);
    expect((await fetch(`${gateway.httpUrl}/v2/models/digits/versions/v9/ready`, { headers })).status).toBe(404);
  });

  it('are answered over gRPC', async () => {
    expect((await grpc.call('ServerLive', {})).message).toEqual({ live: true });
    expect((await grpc.call('ServerReady', {})).message).toEqual({ ready: true });
    expect((await grpc.call('ModelReady', { name: 'digits' })).message).toEqual({ ready: true });
    expect((await grpc.call('ServerMetadata', {})).message).toMatchObject({ name: 'sluice' });
    const metadata = await grpc.call('ModelMetadata', { name: 'spam', version: 'v1' });
    expect(metadata.message).toMatchObject({
      name: 'spam',
      versions: ['v1'],
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1] }],
    });
    expect((await grpc.call('ModelMetadata', { name: 'nothing' })).code).toBe(5);
  });

  it('say live and ready to anyone', async () => {
    expect((await fetch(`${gateway.httpUrl}/v2/health/live`)).status).toBe(200);
    expect((await fetch(`${gateway.httpUrl}/v2/health/ready`)).status).toBe(200);
  });
});
