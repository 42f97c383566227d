import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { eventually, type GatewayUnderTest, startGateway } from '../support/gateway-under-test.ts';
import { answerOutputs, type OipServer, startOipServer } from '../support/oip-server.ts';
import {
  RENEWED_CERTIFICATE,
  RENEWED_CERTIFICATE_KEY,
  TEST_CERTIFICATE,
  TEST_CERTIFICATE_KEY,
} from '../support/test-certificate.ts';

const dir = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
const certFile = join(dir, 'server.crt');
const keyFile = join(dir, 'server.key');
const adminCertFile = join(dir, 'admin.crt');
const adminKeyFile = join(dir, 'admin.key');
const credentialFile = join(dir, 'credential');
let server: OipServer;
let gateway: GatewayUnderTest;

beforeAll(async () => {
  writeFileSync(certFile, TEST_CERTIFICATE);
  writeFileSync(keyFile, TEST_CERTIFICATE_KEY);
  writeFileSync(adminCertFile, TEST_CERTIFICATE);
  writeFileSync(adminKeyFile, TEST_CERTIFICATE_KEY);
  writeFileSync(credentialFile, 'backend-secret\n');
  server = await startOipServer({
    models: [
      {
        name: 'm',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
      },
    ],
    tls: { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY },
    onInfer: () => answerOutputs([{ name: 'y', datatype: 'FP32', shape: [1], data: Buffer.from(new Float32Array([7]).buffer) }]),
  });
  const tls = { certFile, keyFile };
  const backend = { model: 'm', credential: { file: credentialFile }, tls: { caFile: certFile, serverName: 'sluice.test' } };
  gateway = await startGateway({
    listen: { http: { tls }, grpc: { tls }, admin: { tls: { certFile: adminCertFile, keyFile: adminKeyFile } } },
    tenants: TENANTS,
    models: {
      checked: { variants: [grpcVariant('v1', 'stable', server.address, {}, backend)] },
      misnamed: {
        variants: [
          grpcVariant('v1', 'stable', server.address, {}, { ...backend, tls: { caFile: certFile, serverName: 'other.test' } }),
        ],
      },
    },
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await server.close();
  rmSync(dir, { recursive: true });
});

function overHttps(model: string): Promise<{ status: number; body: string }> {
  const agent = new Agent({ ca: TEST_CERTIFICATE });
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] });
  return new Promise((done, failed) => {
    const sent = request(
      `${gateway.httpUrl}/v2/models/${model}/infer`,
      {
        agent,
        method: 'POST',
        headers: {
          authorization: `Bearer ${gateway.keys['alpha']}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => {
          agent.destroy();
          done({ status: response.statusCode!, body: text });
        });
      },
    );
    sent.on('error', failed);
    sent.end(body);
  });
}

function adminFingerprint(): Promise<string> {
  const port = Number(new URL(gateway.adminUrl).port);
  return new Promise((done, failed) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false }, () => {
      done(socket.getPeerX509Certificate()!.fingerprint256);
      socket.destroy();
    });
    socket.on('error', failed);
  });
}

describe('TLS', () => {
  it('is spoken by both listeners, and to a backend whose name is checked and who gets the credential', async () => {
    expect(await overHttps('checked')).toMatchObject({ status: 200, body: expect.stringContaining('"data":[7]') });
    expect(server.calls[0]!.metadata['authorization']).toBe('Bearer backend-secret');
    const client = new Client(gateway.grpcAddress, credentials.createSsl(TEST_CERTIFICATE));
    const identity = (bytes: Buffer): Buffer => bytes;
    const live = await new Promise<Buffer | undefined>((done, failed) => {
      client.makeUnaryRequest(
        '/inference.GRPCInferenceService/ServerLive',
        identity,
        identity,
        Buffer.alloc(0),
        new Metadata(),
        (error, value) => (error === null ? done(value) : failed(error)),
      );
    });
    client.close();
    expect(live).toEqual(Buffer.from([8, 1]));
  });

  it('refuses a backend under another name: its variant never gets traffic', async () => {
    expect(await overHttps('misnamed')).toMatchObject({ status: 503, body: expect.stringContaining('NO_VARIANT') });
    expect(server.calls.length).toBe(1);
  });

  it('is renewed on the admin port by a reload, which refuses half of a pair', async () => {
    const former = await adminFingerprint();
    writeFileSync(adminCertFile, RENEWED_CERTIFICATE);
    gateway.process.kill('SIGHUP');
    await eventually('half of a pair is refused', () => Promise.resolve(gateway.output().includes('config refused')));
    expect(await adminFingerprint()).toBe(former);
    writeFileSync(adminKeyFile, RENEWED_CERTIFICATE_KEY);
    gateway.process.kill('SIGHUP');
    const renewed = new X509Certificate(RENEWED_CERTIFICATE).fingerprint256;
    await eventually('the new certificate is shown', async () => (await adminFingerprint()) === renewed);
  });
});
