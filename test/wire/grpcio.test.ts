import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { http2Backend } from '../../src/config/http2-schema.ts';
import type { GrpcChannel } from '../../src/wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../../src/wire/grpc/open-channel.ts';
import { TEST_CERTIFICATE } from '../support/test-certificate.ts';
import { WireServerProcess } from './support/wire-server-process.ts';

const PYTHON = resolve(import.meta.dirname, '../../.peers/wire/python/bin/python');
const script = (name: string): string => join(import.meta.dirname, 'python', name);

describe.each(['own', 'grpc-js'] as const)('a client of gRPC for Python at the server on %s', (engine) => {
  it.each(['plain', 'tls'])('gets the answers that it should over %s', async (transport) => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-grpcio-'));
    const certificate = join(dir, 'cert.pem');
    writeFileSync(certificate, TEST_CERTIFICATE);
    const server = await WireServerProcess.start(engine, transport === 'tls');
    const lines = await runClient([String(server.port), transport, certificate]);
    expect(lines).toMatchObject([
      { case: 'unary', answer: 'hello', mark: 'm-1', code: 'OK' },
      { case: 'empty', length: 0 },
      { case: 'large', equal: true },
      { case: 'too large', code: 'RESOURCE_EXHAUSTED' },
      { case: 'Gzip', equal: true },
      { case: 'Deflate', equal: true },
      { case: 'refusal', code: 'PERMISSION_DENIED', details: 'Nein, «nie» 🙂', mark: 'm-2' },
      { case: 'deadline', code: 'DEADLINE_EXCEEDED' },
      { case: 'cancel', cancelled: true },
      { case: 'stream', equal: true, mark: 'm-3' },
      { case: 'stream broken off', first: 'one' },
      { case: 'many', wrong: 0 },
    ]);
    await expect.poll(() => server.open(), { timeout: 10_000 }).toBe(0);
    server.stop();
    rmSync(dir, { recursive: true });
  });
});

describe.each(['own', 'grpc-js'] as const)('a client on %s at a server of gRPC for Python', (engine) => {
  let python: ChildProcess;
  let channel: GrpcChannel;

  beforeAll(async () => {
    python = spawn(PYTHON, [script('wire_server.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const port = await new Promise<string>((done) => python.stdout!.once('data', (line: Buffer) => done(String(line).trim())));
    const http2 = http2Backend.parse({});
    const options = {
      address: `127.0.0.1:${port}`,
      ip: '',
      tls: null,
      maxMessageBytes: 16_777_216,
      connectTimeoutMs: 10_000,
      http2,
    };
    channel = openGrpcChannel(engine, options);
  });

  afterAll(() => {
    channel.close();
    python.stdin!.end();
  });

  const ask = (method: string, question: Buffer, timeoutMs = 20_000): Promise<Buffer | [number, string]> =>
    new Promise((done) => {
      const options = { headers: ['x-mark', 'm'], timeoutMs };
      channel.unary(`/test.Wire/${method}`, question, options, {
        onAnswer: done,
        onStatus: (status, details) => done([status, details]),
      });
    });

  it('has its questions answered, small and large and many', async () => {
    const large = Buffer.alloc(8_000_000, 'tensor');
    expect(String(await ask('Echo', Buffer.from('hello')))).toBe('hello');
    expect(large.equals((await ask('Echo', large)) as Buffer)).toBe(true);
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => ask('Echo', Buffer.from(`marked ${i}`))));
    expect(answers.filter((answer, i) => String(answer) !== `marked ${i}`)).toEqual([]);
  });

  it('hears refusals, and its own deadline', async () => {
    expect(await ask('Refuse', Buffer.from('x'))).toEqual([7, 'Nein, «nie» 🙂']);
    expect(await ask('Never', Buffer.from('x'), 200)).toEqual([4, expect.any(String)]);
  });

  it('reads a stream to its end', async () => {
    const received: string[] = [];
    const status = await new Promise<number>((done) => {
      const answers = channel.streamed(
        '/test.Wire/Count',
        Buffer.from('500'),
        { headers: [], timeoutMs: 20_000 },
        {
          onMessage: (message) => {
            received.push(String(message).split(':')[0]!);
            answers.read();
          },
          onEnd: done,
        },
      );
    });
    expect(status).toBe(0);
    expect(received).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
  });
});

function runClient(args: readonly string[]): Promise<object[]> {
  return new Promise((done, fail) => {
    execFile(PYTHON, [script('wire_client.py'), ...args], { timeout: 100_000, maxBuffer: 1_000_000 }, (error, stdout, stderr) => {
      if (error !== null) fail(new Error(`${stdout}\n${stderr}`, { cause: error }));
      else
        done(
          stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as object),
        );
    });
  });
}
