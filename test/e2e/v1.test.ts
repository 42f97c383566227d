import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../scripts/models/digits-data.ts';
import { inferRest } from '../support/clients.ts';
import { key, onnxVariant, TENANTS } from '../support/configs.ts';
import { type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';

const samples = loadDigits().heldOut.slice(0, 3);
const rows = samples.map(({ pixels }) => Array.from({ length: 28 }, (_, y) => [...pixels.subarray(y * 28, y * 28 + 28)]));
let gateway: GatewayUnderTest;

beforeAll(async () => {
  gateway = await startGateway({
    tenants: [...TENANTS, { id: 'narrow', keys: [key('narrow01', { models: ['spam'] })] }],
    models: {
      digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx'), onnxVariant('v2', 'canary', 'digits/v2.onnx')] },
      spam: { variants: [onnxVariant('v1', 'stable', 'spam/v1.onnx', { labels: ['live'] })] },
    },
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
});

interface Answer {
  readonly status: number;
  readonly variant: string | null;
  readonly body: Record<string, unknown>;
}

async function ask(
  method: string,
  path: string,
  body: string | Uint8Array | null = null,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const headers = { authorization: `Bearer ${gateway.keys['alpha']}`, ...fields };
  const response = await fetch(`${gateway.httpUrl}${path}`, { method, headers, body: body as string | null });
  const variant = response.headers.get('x-sluice-variant');
  return { status: response.status, variant, body: (await response.json()) as Record<string, unknown> };
}

const get = (path: string, fields: Record<string, string> = {}) => ask('GET', path, null, fields);
const predict = (path: string, body: unknown, fields: Record<string, string> = {}) =>
  ask('POST', path, JSON.stringify(body), fields);
const asNarrow = () => ({ authorization: `Bearer ${gateway.keys['narrow']}` });

/** What v2 answers for the same images: a list of values for each output. */
async function v2(version = ''): Promise<Record<string, number[]>> {
  const model = version === '' ? 'digits' : `digits/versions/${version}`;
  const inputs = [{ name: 'image', datatype: 'FP32', shape: [3, 28, 28], data: rows.flat(2) }];
  const { body } = await inferRest(gateway, { key: gateway.keys['alpha']!, model, inputs });
  return Object.fromEntries((body['outputs'] as { name: string; data: number[] }[]).map((output) => [output.name, output.data]));
}

describe('V1 predict', () => {
  it('answers instances with predictions, a row for each, equal to what v2 answers', async () => {
    const expected = await v2('v1');
    const answer = await predict('/v1/models/digits/versions/v1:predict', { instances: rows });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.variant).toBe('v1');
    const predictions = answer.body['predictions'] as { probabilities: number[]; label: number }[];
    expect(predictions.map((row) => row.label)).toEqual(expected['label']);
    expect(predictions.flatMap((row) => row.probabilities)).toEqual(expected['probabilities']);
    const named = await predict('/v1/models/digits/versions/v1:predict', { instances: rows.map((image) => ({ image })) });
    expect(named.body).toEqual(answer.body);
  });

  it('answers inputs with outputs', async () => {
    const expected = await v2('stable');
    const answer = await predict('/v1/models/digits/labels/stable:predict', {
      signature_name: 'serving_default',
      inputs: { image: rows },
    });
    const outputs = answer.body['outputs'] as { probabilities: number[][]; label: number[] };
    expect([answer.variant, outputs.label]).toEqual(['v1', expected['label']]);
    expect(outputs.probabilities.flat()).toEqual(expected['probabilities']);
    expect((await predict('/v1/models/digits/labels/stable:predict', { inputs: rows })).body).toEqual(answer.body);
  });

  it('takes stable and canary for versions on every kind of path', async () => {
    for (const [role, variant] of [
      ['stable', 'v1'],
      ['canary', 'v2'],
    ] as const) {
      expect((await predict(`/v1/models/digits/labels/${role}:predict`, { instances: rows })).variant).toBe(variant);
      expect((await predict(`/v1/models/digits/versions/${role}:predict`, { instances: rows })).variant).toBe(variant);
    }
    expect((await predict('/v1/models/spam/labels/live:predict', { instances: ['hello'] })).variant).toBe('v1');
    expect((await predict('/v1/models/spam/labels/canary:predict', { instances: ['hello'] })).status).toBe(404);
  });

  it('takes text and base64 for bytes, whatever content type curl makes of it, and packed', async () => {
    const text = await predict('/v1/models/spam:predict', { instances: ['free money now'] });
    const [prediction] = text.body['predictions'] as { probabilities: number[] }[];
    expect(prediction!.probabilities).toHaveLength(2);
    const base64 = await predict(
      '/v1/models/spam:predict',
      { instances: [{ b64: Buffer.from('free money now').toString('base64') }] },
      { 'content-type': 'application/x-www-form-urlencoded' },
    );
    expect(base64.body).toEqual(text.body);
    const packed = await ask('POST', '/v1/models/spam:predict', gzipSync('{"instances":["free money now"]}'), {
      'content-encoding': 'gzip',
    });
    expect(packed.body).toEqual(text.body);
  });

  it('refuses in the words of every face', async () => {
    const wrong = await predict('/v1/models/digits:predict', { instances: [[1, 2, 3]] });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST', error: expect.stringContaining('shape is [1,3]') } });
    expect(await ask('POST', '/v1/models/digits:predict', '{')).toMatchObject({ status: 400, body: { code: 'MALFORMED' } });
    expect(await ask('POST', '/v1/models/digits:regress', '{}')).toMatchObject({ status: 501, body: { code: 'NOT_SUPPORTED' } });
    expect(await get('/v1/models/digits:predict')).toMatchObject({ status: 405 });
    const nobody = await predict('/v1/models/digits:predict', { instances: rows }, { authorization: 'Bearer sl_wrong' });
    expect(nobody).toMatchObject({ status: 401, body: { code: 'KEY_UNKNOWN' } });
  });

  it('tells a forbidden model from an unknown one by nothing', async () => {
    for (const body of [{ instances: rows }, { instances: 'no' }]) {
      const forbidden = await predict('/v1/models/digits:predict', body, asNarrow());
      const unknown = await predict('/v1/models/nothing:predict', body, asNarrow());
      expect(forbidden).toEqual(unknown);
      expect(forbidden).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    }
    for (const tail of ['', '/metadata', '/versions/v1']) {
      expect(await get(`/v1/models/digits${tail}`, asNarrow())).toEqual(await get(`/v1/models/nothing${tail}`, asNarrow()));
    }
  });

  it('is counted under a codec of its own', async () => {
    expect(await metric(gateway, 'sluice_requests_total', { codec: 'v1-predict', model: 'digits' })).toBeGreaterThan(0);
  });
});

describe('V1 questions', () => {
  it('are answered as both kinds of clients read them', async () => {
    expect((await get('/v1/models')).body).toEqual({ models: ['digits', 'spam'] });
    expect((await get('/v1/models', asNarrow())).body).toEqual({ models: ['spam'] });
    expect(await get('/v1/models/digits')).toMatchObject({
      status: 200,
      body: {
        name: 'digits',
        ready: true,
        model_version_status: [
          { version: 'v1', state: 'AVAILABLE' },
          { version: 'v2', state: 'AVAILABLE' },
        ],
      },
    });
    const metadata = await get('/v1/models/digits/labels/canary/metadata');
    expect(metadata.body).toMatchObject({ model_spec: { name: 'digits', version: 'v2' } });
    expect(JSON.stringify(metadata.body)).toContain('"dtype":"DT_FLOAT"');
  });
});
