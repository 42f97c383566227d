import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller } from '../support/clients.ts';
import { key, onnxVariant, TENANTS } from '../support/configs.ts';
import { type GatewayUnderTest, startGateway } from '../support/gateway-under-test.ts';

let gateway: GatewayUnderTest;
const AUDIT = 'audit.jsonl';

beforeAll(async () => {
  gateway = await startGateway({
    audit: { file: AUDIT },
    tenants: [...TENANTS, { id: 'narrow', keys: [key('narrow01', { models: ['spam'] })] }],
    models: {
      digits: {
        cache: { ttlMs: 60_000 },
        variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx'), onnxVariant('v2', 'canary', 'digits/v2.onnx', { weight: 5 })],
      },
      spam: { variants: [onnxVariant('v1', 'stable', 'spam/v1.onnx'), onnxVariant('v2', 'shadow', 'spam/v2.onnx')] },
    },
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

async function ask(method: string, path: string, body: string | null = null, tenant = 'alpha'): Promise<Answer> {
  const headers = { authorization: `Bearer ${gateway.keys[tenant]}`, 'content-type': 'application/json' };
  const response = await fetch(`${gateway.httpUrl}${path}`, { method, headers, body });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

const spam = (verb: string, text: string) => ask('POST', `/v2/models/spam/${verb}`, JSON.stringify({ text }));

/** The admin API as it is, errors and all. */
async function change(path: string, body: object = {}): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { authorization: `Bearer ${gateway.adminToken}`, 'content-type': 'application/json' };
  const response = await fetch(`${gateway.adminUrl}/admin/v1/models/${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('generate', () => {
  it('answers one flat object, and one event of a stream with the same', async () => {
    const answer = await spam('generate', 'free money now');
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ model_name: 'spam', model_version: 'v1' });
    expect(answer.body['probabilities']).toHaveLength(2);
    expect(answer.headers.get('x-sluice-variant')).toBe('v1');
    const stream = await spam('generate_stream', 'free money now');
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.text).toBe(`data: ${answer.text}\n\n`);
  });

  it('refuses in plain JSON what comes before any event', async () => {
    const path = '/v2/models/spam/generate_stream';
    const unknown = await ask('POST', path, '{"text":"a","prompt":"b"}');
    expect(unknown).toMatchObject({ status: 400, body: { code: 'MALFORMED', error: expect.stringContaining('"prompt"') } });
    expect(await ask('POST', path, '{}')).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect((await ask('POST', '/v2/models/digits/generate', '{"image":[1]}', 'narrow')).text).toBe(
      (await ask('POST', '/v2/models/nothing/generate', '{"image":[1]}', 'narrow')).text,
    );
  });
});

describe('questions about models', () => {
  it('show the configuration that follows from the signature', async () => {
    const { body } = await ask('GET', '/v2/models/digits/config');
    expect(body).toMatchObject({
      name: 'digits',
      max_batch_size: 1_024,
      input: [{ name: 'image', data_type: 'TYPE_FP32', dims: [28, 28] }],
      output: [
        { name: 'probabilities', data_type: 'TYPE_FP32', dims: [10] },
        { name: 'label', data_type: 'TYPE_INT64', dims: [] },
      ],
    });
    const shadow = await ask('GET', '/v2/models/spam/versions/v2/config');
    expect(shadow.status).toBe(404);
  });

  it('show what a variant has done', async () => {
    const before = rowsOf(await ask('GET', '/v2/models/spam/stats'));
    await spam('generate', 'hello');
    const after = rowsOf(await ask('GET', '/v2/models/spam/versions/stable/stats'));
    expect(after['spam/v1']!.inference_count - before['spam/v1']!.inference_count).toBe(1);
    expect(after['spam/v1']!.inference_stats.success.ns).toBeGreaterThan(before['spam/v1']!.inference_stats.success.ns);
    expect(Object.keys(rowsOf(await ask('GET', '/v2/models/stats')))).toEqual(['digits/v1', 'digits/v2', 'spam/v1']);
    expect(Object.keys(rowsOf(await ask('GET', '/v2/models/stats', null, 'narrow')))).toEqual(['spam/v1']);
  });

  it('show the index of what the caller may use', async () => {
    const index = async (body: string, tenant = 'alpha') =>
      JSON.parse((await ask('POST', '/v2/repository/index', body, tenant)).text) as unknown;
    expect(await index('')).toEqual([
      { name: 'digits', version: 'v1', state: 'READY', reason: '' },
      { name: 'digits', version: 'v2', state: 'READY', reason: '' },
      { name: 'spam', version: 'v1', state: 'READY', reason: '' },
    ]);
    expect(await index('{"ready":true}', 'narrow')).toEqual([{ name: 'spam', version: 'v1', state: 'READY', reason: '' }]);
  });
});

interface Row {
  readonly name: string;
  readonly version: string;
  readonly inference_count: number;
  readonly inference_stats: { readonly success: { readonly ns: number } };
}

const rowsOf = (answer: Answer): Record<string, Row> =>
  Object.fromEntries((answer.body['model_stats'] as Row[]).map((row) => [`${row.name}/${row.version}`, row]));

describe('what is not done on the data port', () => {
  it.each([
    ['POST', '/v2/repository/models/digits/load', '{}', 403, 'FORBIDDEN'],
    ['POST', '/v2/repository/models/nothing/unload', null, 403, 'FORBIDDEN'],
    ['POST', '/v2/repository/models/digits/load', '{"parameters":{"config":"{}"}}', 400, 'MALFORMED'],
    ['GET', '/v2/repository/models/digits/load', null, 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/v2/systemsharedmemory/region/r/register', '{"key":"/x","byte_size":4}', 501, 'NOT_SUPPORTED'],
    ['GET', '/v2/cudasharedmemory/status', null, 501, 'NOT_SUPPORTED'],
    ['POST', '/v2/logging', '{}', 501, 'NOT_SUPPORTED'],
    ['GET', '/v2/trace/setting', null, 501, 'NOT_SUPPORTED'],
    ['GET', '/v2/repository', null, 404, 'NOT_FOUND'],
  ] as const)('%s %s with %s is %i', async (method, path, body, status, code) => {
    expect(await ask(method, path, body)).toMatchObject({ status, body: { code } });
  });
});

describe('loading and unloading on the admin port', () => {
  it('takes a canary out of traffic and brings it back, on record', async () => {
    const grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
    const isReady = async (version: string) => (await grpc.call('ModelReady', { name: 'digits', version })).message['ready'];
    try {
      expect((await change('digits/variants/v2/unload')).status).toBe(409);
      expect(await isReady('canary')).toBe(true);
      const unloaded = await change('digits/variants/v2/unload', { force: true, reason: 'wrong answers' });
      expect(unloaded).toMatchObject({ status: 200, body: { model: 'digits', variant: { name: 'v2', readiness: 'unloaded' } } });
      expect(await isReady('canary')).toBe(false);
      expect(await ask('GET', '/v2/models/digits/versions/canary/ready')).toMatchObject({ status: 503, body: { ready: false } });
      const image = { inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 28, 28], data: new Array(784).fill(0) }] };
      const pinned = await ask('POST', '/v2/models/digits/versions/v2/infer', JSON.stringify(image));
      expect(pinned).toMatchObject({ status: 503, body: { code: 'NO_VARIANT' } });
      // Its share of the traffic goes to stable.
      for (let i = 0; i < 60; i++) {
        const answer = await ask('POST', '/v2/models/digits/infer', JSON.stringify(image));
        expect([answer.status, answer.headers.get('x-sluice-variant')]).toEqual([200, 'v1']);
      }
      const loaded = await change('digits/variants/v2/load');
      expect(loaded).toMatchObject({ status: 200, body: { variant: { name: 'v2', readiness: 'ready' } } });
      expect((await ask('POST', '/v2/models/digits/versions/canary/infer', JSON.stringify(image))).status).toBe(200);
      const file = join(gateway.dir, AUDIT);
      expect(existsSync(file)).toBe(true);
      const lines = readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines.map(({ action, model, reason }) => [action, model, reason])).toEqual([
        ['variant.unload', 'digits', 'wrong answers'],
        ['variant.load', 'digits', ''],
      ]);
    } finally {
      grpc.close();
    }
  });

  it('never takes the stable variant without force, nor what a request brings along', async () => {
    expect(await change('spam/variants/v1/unload')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('stable') },
    });
    expect((await change('spam/variants/v2/unload')).status).toBe(200);
    expect((await change('spam/variants/v2/load')).status).toBe(200);
    expect((await change('spam/variants/v1/load', { parameters: { config: '{}' } })).status).toBe(400);
    expect((await change('spam/variants/v9/load')).status).toBe(404);
    expect((await spam('generate', 'still here')).status).toBe(200);
  });

  it('leaves a model whose stable variant was forced out unready, and serves the others', async () => {
    expect((await change('spam/variants/v1/unload', { force: true })).status).toBe(200);
    expect(await spam('generate', 'anybody')).toMatchObject({ status: 503, body: { code: 'NO_VARIANT' } });
    expect((await ask('GET', '/v1/models/spam')).body).toMatchObject({ ready: false, model_version_status: [{ state: 'END' }] });
    expect((await ask('GET', '/v2/models/digits/ready')).status).toBe(200);
    expect((await change('spam/variants/v1/load')).status).toBe(200);
    expect((await spam('generate', 'back again')).status).toBe(200);
  });
});
