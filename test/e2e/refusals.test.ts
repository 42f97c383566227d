import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { key, onnxVariant, TENANTS } from '../support/configs.ts';
import { eventually, type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { RawConnection } from '../support/raw-http.ts';

let gateway: GatewayUnderTest;
const image = (value: unknown, count = 784) => [
  { name: 'image', datatype: 'FP32', shape: [1, 28, 28], data: new Array(count).fill(value) },
];
const text = (value: string) => [{ name: 'text', datatype: 'BYTES', shape: [1], data: [value] }];

beforeAll(async () => {
  gateway = await startGateway({
    limits: { maxBodyBytes: 65_536 },
    tenants: [
      ...TENANTS,
      { id: 'slow', rate: { requestsPerSecond: 0.5, burst: 2 }, keys: [key('slow0001')] },
      { id: 'narrow', keys: [key('narrow01', { models: ['spam'] })] },
      { id: 'scopeless', keys: [key('scope001', { scopes: [] })] },
    ],
    models: {
      digits: { inputs: { image: { min: 0, max: 1 } }, variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] },
      spam: {
        guards: {
          input: [
            { kind: 'denyList', name: 'no-injection', phrases: ['ignore previous instructions'] },
            { kind: 'pii', name: 'no-pii', action: 'redact' },
          ],
        },
        variants: [onnxVariant('v1', 'stable', 'spam/v1.onnx')],
      },
      sure: {
        guards: { output: [{ kind: 'confidence', name: 'floor', floor: 1, tensors: ['probabilities'] }] },
        variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')],
      },
    },
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
});

const ask = (tenant: string, model: string, inputs: ReturnType<typeof image> | ReturnType<typeof text>, headers = {}) =>
  inferRest(gateway, { key: gateway.keys[tenant]!, model, inputs, headers });

describe('a refusal over REST', () => {
  it('is 401 for a missing and for an unknown key, without the body being read', async () => {
    const connection = await RawConnection.open(gateway.httpPort);
    // Of a million bytes none is sent, and the answer comes all the same.
    connection.send(
      'POST /v2/models/digits/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n',
    );
    expect(await connection.until('KEY_MISSING')).toContain('HTTP/1.1 401');
    connection.destroy();
    const unknown = await inferRest(gateway, { key: 'sl_demo_nobody00_x_y', model: 'digits', inputs: image(0) });
    expect([unknown.status, unknown.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(unknown.body['code']).toBe('KEY_UNKNOWN');
  });

  it('is 404 alike for a model that is not there and one that is not allowed, and lists show only what is', async () => {
    const missing = await ask('narrow', 'nothing', image(0));
    const forbidden = await ask('narrow', 'digits', image(0));
    expect(missing.status).toBe(404);
    expect(forbidden.body).toEqual(missing.body);
    const headers = { authorization: `Bearer ${gateway.keys['narrow']}` };
    expect(await (await fetch(`${gateway.httpUrl}/v2/models`, { headers })).json()).toEqual({ models: ['spam'] });
    expect((await fetch(`${gateway.httpUrl}/v2/models/digits`, { headers })).status).toBe(404);
    expect((await fetch(`${gateway.httpUrl}/v2/elsewhere`, { headers })).status).toBe(404);
  });

  it('is 403 where the scope is missing', async () => {
    expect((await ask('scopeless', 'digits', image(0))).status).toBe(403);
    expect((await ask('beta', 'digits', image(0), { 'x-sluice-variant': 'v1' })).status).toBe(403);
    expect((await ask('alpha', 'digits', image(0), { 'x-sluice-variant': 'v1' })).status).toBe(200);
  });

  it('is 405 with the verbs that the path answers to', async () => {
    const response = await fetch(`${gateway.httpUrl}/v2/models/digits/infer`, {
      headers: { authorization: `Bearer ${gateway.keys['alpha']}` },
    });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  it('is 413 from the header fields, before a byte of the body', async () => {
    const connection = await RawConnection.open(gateway.httpPort);
    connection.send(
      `POST /v2/models/digits/infer HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${gateway.keys['alpha']}\r\nContent-Type: application/json\r\nContent-Length: 65537\r\n\r\n`,
    );
    expect(await connection.until('BODY_TOO_LARGE')).toContain('HTTP/1.1 413');
    connection.destroy();
  });

  it('is 400 and says which input, what was found and what was expected', async () => {
    const short = await ask('alpha', 'digits', image(0, 3));
    expect(short.status).toBe(400);
    expect(short.body['error']).toMatch(/image.*784.*3|image.*3.*784/);
    const range = await ask('alpha', 'digits', image(2));
    expect(range.status).toBe(400);
    expect(range.body['error']).toMatch(/image/);
    const broken = await fetch(`${gateway.httpUrl}/v2/models/digits/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.keys['alpha']}`, 'content-type': 'application/json' },
      body: '{"inputs":[{"name":"image","name":"image"}]}',
    });
    expect(broken.status).toBe(400);
  });

  it('is 415 for a body that is not JSON', async () => {
    const answer = await ask('alpha', 'digits', image(0), { 'content-type': 'text/plain' });
    expect(answer.status).toBe(415);
  });

  it('is 422 when a guard blocks, and the rule is named but not the content', async () => {
    const answer = await ask('alpha', 'spam', text('please ignore previous  Instructions now'));
    expect(answer.status).toBe(422);
    expect(answer.body['error']).toContain('no-injection');
    expect(JSON.stringify(answer.body)).not.toContain('Instructions now');
    expect((await ask('alpha', 'sure', image(0))).status).toBe(422);
    expect(await metric(gateway, 'sluice_guard_rulings_total', { guard: 'no-injection', ruling: 'block' })).toBe(1);
  });

  it('is not given when a guard can redact: the model never sees the address', async () => {
    const answer = await ask('alpha', 'spam', text('write to jane.doe@example.org about card 4111 1111 1111 1111'));
    expect(answer.status).toBe(200);
    const redacted = await ask('alpha', 'spam', text('write to [email] about card [card]'));
    expect(answer.body['outputs']).toEqual(redacted.body['outputs']);
    expect(await metric(gateway, 'sluice_guard_rulings_total', { guard: 'no-pii', ruling: 'rewrite' })).toBe(1);
  });

  it('is 429 with Retry-After and the limit when the rate is used up', async () => {
    expect((await ask('slow', 'digits', image(0))).status).toBe(200);
    expect((await ask('slow', 'digits', image(0))).status).toBe(200);
    const answer = await ask('slow', 'digits', image(0));
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(answer.headers.get('ratelimit')).toMatch(/^"requests";r=0;/);
  });

  it('is counted by its code', async () => {
    expect(await metric(gateway, 'sluice_faults_total', { code: 'RATE_LIMITED' })).toBe(1);
    expect(await metric(gateway, 'sluice_faults_total', { code: 'KEY_MISSING' })).toBe(1);
  });
});

describe('a refusal over gRPC', () => {
  it('carries the status of the catalogue', async () => {
    const nobody = new GrpcCaller(gateway.grpcAddress, '');
    const alpha = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
    const narrow = new GrpcCaller(gateway.grpcAddress, gateway.keys['narrow']!);
    const raw = Buffer.alloc(784 * 4);
    const input = { name: 'image', datatype: 'FP32', shape: [1, 28, 28], raw };
    try {
      const missing = await nobody.infer('digits', [input]);
      expect([missing.code, missing.metadata.get('x-sluice-fault')]).toEqual([16, ['KEY_MISSING']]);
      expect((await narrow.infer('digits', [input])).code).toBe(5);
      const wrong = await alpha.infer('digits', [{ ...input, shape: [1, 28, 27] }]);
      expect(wrong.code).toBe(3);
      expect(wrong.details).toContain('image');
      expect((await alpha.infer('sure', [input])).code).toBe(9);
      expect((await alpha.infer('digits', [{ ...input, raw: Buffer.alloc(70_000) }])).code).toBe(8);
    } finally {
      nobody.close();
      alpha.close();
      narrow.close();
    }
  });
});

describe('the access log', () => {
  it('has a line for each request and never a key or a text', async () => {
    // Before this stands the banner, which shows the generated keys.
    const lines = (): string => gateway.output().slice(gateway.output().indexOf('/metrics'));
    await eventually('the line of a blocked request', () => lines().includes('GUARD_BLOCKED'));
    const output = lines();
    for (const secret of [...Object.values(gateway.keys), gateway.adminToken, 'jane.doe@example.org', '4111 1111']) {
      expect(output).not.toContain(secret);
    }
  });
});
