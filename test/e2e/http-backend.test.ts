import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../scripts/models/digits-data.ts';
import { GrpcCaller, inferRest, rawOutputs } from '../support/clients.ts';
import { onnxVariant, TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { binaryOutputs, jsonOutputs, type OipHttpServer, startOipHttpServer } from '../support/oip-http-server.ts';
import { answer, answerJson, answerNever, cut, type HttpScript } from '../support/scripted-http-server.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../support/test-certificate.ts';

/** The gateway in front of HTTP servers: another gateway over TLS, and one that lies. */

const MODEL = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
};
const SECRET_WORDS = 'words of the backend';
const floats = (...values: number[]): Buffer => Buffer.from(new Float32Array(values).buffer);
const output = (fields: object = {}) => ({ name: 'y', datatype: 'FP32', shape: [1, 2], data: floats(1, 2), ...fields });

/** What the lying server answers with, by model. */
const LIES: Readonly<Record<string, HttpScript>> = {
  'another-shape': binaryOutputs([output({ shape: [2, 1] })]),
  'more-rows': binaryOutputs([output({ shape: [2, 2], data: floats(1, 2, 3, 4) })]),
  'fewer-bytes': binaryOutputs([output({ data: floats(1) })]),
  'another-datatype': binaryOutputs([output({ datatype: 'INT32' })]),
  'another-name': jsonOutputs([output({ name: SECRET_WORDS })]),
  'one-too-many': jsonOutputs([output(), output({ name: 'z' })]),
  none: jsonOutputs([]),
  garbage: answer(200, `<html>${SECRET_WORDS}</html>`),
  'half-json': answer(200, '{"outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[1,'),
  'length-past-end': answer(200, '{"outputs":[]}', { 'inference-header-content-length': '999' }),
  'bad-gzip': answer(200, SECRET_WORDS, { 'content-encoding': 'gzip' }),
  'no-http': cut(`${SECRET_WORDS}\r\n\r\n`),
};

const dir = mkdtempSync(join(tmpdir(), 'sluice-http-'));
const certFile = join(dir, 'server.crt');
const keyFile = join(dir, 'server.key');
const credentialFile = join(dir, 'credential');
let behind: GatewayUnderTest;
let server: OipHttpServer;
let gateway: GatewayUnderTest;
let grpc: GrpcCaller;

const httpVariant = (url: string, backend: object = {}, name = 'v1', role = 'stable'): object => ({
  name,
  role,
  backend: { kind: 'http', endpoints: [url], ...backend },
});

beforeAll(async () => {
  writeFileSync(certFile, TEST_CERTIFICATE);
  writeFileSync(keyFile, TEST_CERTIFICATE_KEY);
  behind = await startGateway({
    listen: { http: { tls: { certFile, keyFile } } },
    tenants: TENANTS,
    models: {
      digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] },
      spam: { variants: [onnxVariant('v1', 'stable', 'spam/v1.onnx')] },
    },
  });
  writeFileSync(credentialFile, behind.keys['beta']!);
  const honest = ['hanging', 'refusing', 'busy', 'broken'].map((name) => ({ name, ...MODEL }));
  server = await startOipHttpServer({
    models: [...honest, ...Object.keys(LIES).map((name) => ({ name, ...MODEL }))],
    extensions: ['binary_tensor_data'],
    onInfer: (_call, { name }) => {
      if (name === 'hanging') return answerNever;
      if (name === 'refusing') return answerJson({ error: SECRET_WORDS }, 400);
      if (name === 'busy') return answerJson({ error: SECRET_WORDS }, 429);
      return name === 'broken' ? answerJson({ error: SECRET_WORDS }, 500) : LIES[name]!;
    },
  });
  const far = { credential: { file: credentialFile }, tls: { caFile: certFile, serverName: 'sluice.test' } };
  const lies = Object.keys(LIES).map((name) => [name, { variants: [httpVariant(server.url, {})] }]);
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      direct: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] },
      json: { variants: [httpVariant(behind.httpUrl, { ...far, model: 'digits', body: 'json' })] },
      probed: { variants: [httpVariant(behind.httpUrl, { ...far, model: 'digits', protocol: 'auto' })] },
      spam: { variants: [httpVariant(behind.httpUrl, { ...far, version: 'v1' })] },
      'direct-spam': { variants: [onnxVariant('v1', 'stable', 'spam/v1.onnx')] },
      misnamed: {
        variants: [httpVariant(behind.httpUrl, { ...far, model: 'digits', tls: { caFile: certFile, serverName: 'other.test' } })],
      },
      stranger: { variants: [httpVariant(behind.httpUrl, { ...far, model: 'digits', credential: null })] },
      ...Object.fromEntries([...honest.map(({ name }) => [name, { variants: [httpVariant(server.url)] }]), ...lies]),
      fallback: {
        variants: [
          onnxVariant('v1', 'stable', 'digits/v1.onnx'),
          { ...httpVariant(behind.httpUrl, { ...far, model: 'digits' }, 'v2', 'canary'), weight: 100 },
        ],
      },
    },
  });
  grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
});

afterAll(async () => {
  grpc.close();
  expect(await gateway.stop()).toBe(0);
  if (behind.process.exitCode === null) await behind.stop();
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

const images = loadDigits().heldOut.slice(0, 4);
const image = (i: number) => ({
  name: 'image',
  datatype: 'FP32',
  shape: [1, 28, 28],
  raw: Buffer.from(images[i]!.pixels.buffer, images[i]!.pixels.byteOffset, images[i]!.pixels.byteLength),
});
const x = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] };

describe('a model behind another gateway, over HTTPS with a credential', () => {
  it.each(['json', 'probed'])('answers as it does in this process, bit for bit (%s)', async (model) => {
    for (let i = 0; i < images.length; i++) {
      const here = await grpc.infer('direct', [image(i)]);
      const there = await grpc.infer(model, [image(i)], { id: 'mine' });
      expect(there.code, there.details).toBe(0);
      expect(there.message['id']).toBe('mine');
      expect(rawOutputs(there)).toEqual(rawOutputs(here));
    }
  });

  it('takes strings, under a version of its own', async () => {
    const text = Buffer.from('Cheap “pills” 💊 for you\n');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    const inputs = [{ name: 'text', datatype: 'BYTES', shape: [1], raw: Buffer.concat([length, text]) }];
    const here = await grpc.infer('direct-spam', inputs);
    const there = await grpc.infer('spam', inputs);
    expect(here.code, here.details).toBe(0);
    expect(there.code, there.details).toBe(0);
    expect(rawOutputs(there)).toEqual(rawOutputs(here));
  });

  it('is booked there on the tenant of the credential', async () => {
    const usage = async (tenant: string) => (await admin<{ usage: object[] }>(behind, 'GET', `usage?tenant=${tenant}`)).usage;
    expect((await usage('beta')).length).toBeGreaterThan(0);
    expect(await usage('alpha')).toEqual([]);
  });

  it('gets no traffic where the name or the credential is wrong', async () => {
    const key = gateway.keys['alpha']!;
    for (const model of ['misnamed', 'stranger']) {
      const { status, body } = await inferRest(gateway, { key, model, inputs: [] });
      expect(status).toBe(503);
      expect(body['code']).toBe('NO_VARIANT');
    }
  });
});

describe('an HTTP server that does not answer well', () => {
  it.each(Object.keys(LIES))('is not believed, and nothing of its answer is passed on: %s', async (model) => {
    const { status, body } = await inferRest(gateway, { key: gateway.keys['alpha']!, model, inputs: [x] });
    expect(body['code']).toBe('BACKEND_LIED');
    expect(status).toBe(502);
    expect(JSON.stringify(body)).not.toContain(SECRET_WORDS);
  });

  it('is told apart by who is to blame, and its words stay here', async () => {
    for (const [model, status, code] of [
      ['refusing', 400, 'BACKEND_REFUSED'],
      ['busy', 429, 'BACKEND_BUSY'],
      ['broken', 502, 'BACKEND_FAILED'],
    ] as const) {
      const found = await inferRest(gateway, { key: gateway.keys['alpha']!, model, inputs: [x] });
      expect([found.status, found.body['code']]).toEqual([status, code]);
      expect(JSON.stringify(found.body)).not.toContain(SECRET_WORDS);
    }
  });

  it('hears it when a caller leaves', async () => {
    const body = JSON.stringify({ inputs: [x] });
    const socket = connect(gateway.httpPort, '127.0.0.1');
    socket.write(
      `POST /v2/models/hanging/infer HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${gateway.keys['alpha']}\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await server.called(1, 'hanging/infer');
    const leftMs = performance.now();
    socket.destroy();
    await server.cancelled(1);
    expect(performance.now() - leftMs).toBeLessThan(500);
    await eventually('the permit is back', async () => (await metric(gateway, 'sluice_requests_in_flight')) === 0);
  });
});

describe('an HTTP server that has gone', () => {
  it('is answered for by stable', async () => {
    const before = await grpc.infer('fallback', [image(0)]);
    expect(before.message['model_version']).toBe('v2');
    await behind.stop();
    await eventually('the connections are seen to be closed', async () => {
      const after = await grpc.infer('fallback', [image(0)]);
      return after.code === 0 && after.message['model_version'] === 'v1';
    });
    for (let i = 0; i < 5; i++) expect((await grpc.infer('fallback', [image(0)])).message['model_version']).toBe('v1');
  });
});
