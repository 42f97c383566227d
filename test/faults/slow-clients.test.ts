import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { key } from '../support/configs.ts';
import { FaultScene } from '../support/fault-scene.ts';
import { eventually, metric } from '../support/gateway-under-test.ts';
import { binaryOutputs } from '../support/oip-http-server.ts';
import { type RawAnswer, RawConnection } from '../support/raw-http.ts';
import { UnreadCalls } from '../support/unread-calls.ts';

const MIB = 1_048_576;
const HEADERS_MS = 1_000;
const BODY_MS = 1_200;
const STALL_MS = 1_000;
/** Five times of what is promised: 1.2 of the time that config grants. */
const CLOSED_LIMIT_MS = 6 * BODY_MS;
const ATTACKERS = 100;
const HONEST = 100;
const ANSWER_BYTES = 16 * MIB;
const SHARE_BYTES = 40 * MIB;

const wide = { rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 }, maxInFlight: 4_096 };
let scene: FaultScene;
beforeAll(async () => {
  scene = await FaultScene.start({
    model: { rowsAgree: false, timeoutMs: 60_000 },
    config: {
      listen: {
        http: { headersTimeoutMs: HEADERS_MS, bodyTimeoutMs: BODY_MS, writeStallMs: STALL_MS },
        grpc: { writeStallMs: STALL_MS },
      },
      tenants: [
        { id: 'alpha', ...wide, keys: [key('alpha001')] },
        { id: 'slow', ...wide, maxInFlightBytes: SHARE_BYTES, keys: [key('slow0001')] },
      ],
      limits: { maxBodyBytes: MIB },
    },
  });
});
afterAll(async () => expect(await scene.stop()).toBe(0));

/** Requests of others while something goes on. */
async function honest(): Promise<readonly string[]> {
  const all = await Promise.all(Array.from({ length: HONEST }, (_, i) => scene.ask(i % 2 === 0 ? 'rest' : 'grpc', 'grpc')));
  return all.map(({ code }) => code);
}

const ALL_WELL = new Array<string>(HONEST).fill('OK');

/** Says one byte more every so often; resolves with the time until the other side has had enough. */
function dribble(head: string, port: number): Promise<number> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    socket.write(head);
    const timer = setInterval(() => socket.write('x'), 50);
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('close', () => {
      clearInterval(timer);
      resolve(performance.now() - startedMs);
    });
  });
}

describe('clients that send a byte now and then', () => {
  it.each([
    ['of their header fields', () => 'GET /v2/health/live HTTP/1.1\r\nHost: gate\r\nx-pad: '],
    [
      'of a body',
      () =>
        `POST /v2/models/http/infer HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${scene.key}\r\nContent-Length: 10000\r\n\r\n{`,
    ],
    ['of a body, without a key', () => 'POST /v2/models/http/infer HTTP/1.1\r\nHost: gate\r\nContent-Length: 100000\r\n\r\n{'],
  ])('%s, are closed in time, and nobody else notices', async (_what, head) => {
    const attack = Promise.all(Array.from({ length: ATTACKERS }, () => dribble(head(), scene.gateway.httpPort)));
    expect(await honest()).toEqual(ALL_WELL);
    const times = await attack;
    expect(Math.max(...times)).toBeLessThan(CLOSED_LIMIT_MS);
    await scene.idle();
  });

  it('and nothing at all are closed too', async () => {
    const silent = await RawConnection.open(scene.gateway.httpPort);
    await silent.untilEnd();
  });
});

const floats = ANSWER_BYTES / 4;
const LARGE = binaryOutputs([{ name: 'y', datatype: 'FP32', shape: [floats / 2, 2], data: Buffer.alloc(ANSWER_BYTES) }]);
const refused = (): Promise<number> => metric(scene.gateway, 'sluice_faults_total', { code: 'OVERLOADED', phase: 'reply' });

describe('clients that do not read their answers', () => {
  it('are dropped, hold no more than the share of their tenant, and nobody else notices', async () => {
    const before = await refused();
    scene.behave({ http: () => LARGE });
    const body = JSON.stringify({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
      parameters: { binary_data_output: true },
    });
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connect(scene.gateway.httpPort, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.pause();
      socket.write(
        `POST /v2/models/http/infer HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${scene.gateway.keys['slow']}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      return socket;
    });
    // Two answers fit into the share.
    await eventually('the others refused', async () => (await refused()) === before + 6);
    expect(await metric(scene.gateway, 'sluice_body_bytes_in_flight')).toBeLessThanOrEqual(SHARE_BYTES);
    expect(await honest()).toEqual(ALL_WELL);
    await scene.idle();
    const closed = await Promise.all(sockets.map((socket) => takenFrom(socket)));
    expect(closed.filter((bytes) => bytes < ANSWER_BYTES).length).toBe(8);
    // Whoever reads gets all of it.
    const answer = await inferRest(scene.gateway, {
      key: scene.gateway.keys['slow']!,
      model: 'http',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
    });
    expect(answer.status).toBe(200);
    await scene.heal();
  });
});

describe('gRPC clients that do not read their answers', () => {
  it.each([
    ['their streams have no room', UnreadCalls.ofFullStreams],
    ['their connection takes no byte', UnreadCalls.ofStuckConnection],
  ])('are dropped where %s, hold no more than the share of their tenant, and nobody else notices', async (_where, begin) => {
    const before = await refused();
    scene.behave({ http: () => LARGE });
    const calls = await begin(scene.gateway.grpcAddress, scene.gateway.keys['slow']!, 8);
    await eventually('the others refused', async () => (await refused()) === before + 6);
    expect(await metric(scene.gateway, 'sluice_body_bytes_in_flight')).toBeLessThanOrEqual(SHARE_BYTES);
    expect(await honest()).toEqual(ALL_WELL);
    await scene.idle();
    expect(calls.whole).toBe(0);
    await calls.close();
    // Whoever reads gets all of it.
    const reader = new GrpcCaller(scene.gateway.grpcAddress, scene.gateway.keys['slow']!);
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2] }];
    const answer = await reader.call('ModelInfer', { model_name: 'http', inputs, raw_input_contents: [Buffer.alloc(8)] });
    expect([answer.code, (answer.message['raw_output_contents'] as Uint8Array[])[0]!.length]).toEqual([0, ANSWER_BYTES]);
    reader.close();
    await scene.heal();
  });
});

/** Bytes that the kernel kept for a reader who comes too late. */
function takenFrom(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  return new Promise((resolve) => {
    socket.once('close', () => resolve(bytes));
    socket.resume();
    socket.end();
  });
}

describe('a body that is larger than allowed', () => {
  it.each([
    ['without waiting for it', ''],
    ['without asking for it', 'Expect: 100-continue\r\n'],
  ])('is refused over HTTP from its header alone, %s', async (_what, fields) => {
    const connection = await RawConnection.open(scene.gateway.httpPort);
    connection.send(
      `POST /v2/models/http/infer HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${scene.key}\r\nContent-Length: 10000000000\r\n${fields}\r\n`,
    );
    const answers: readonly RawAnswer[] = await connection.untilAnswers(1);
    expect(answers.map(({ status }) => status)).toEqual([413]);
    expect(answers[0]!.body).toContain('BODY_TOO_LARGE');
    connection.destroy();
  });

  it('is read no further over HTTP than what is cheap to swallow', async () => {
    const connection = await RawConnection.open(scene.gateway.httpPort);
    const head = `POST /v2/models/http/infer HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${scene.key}\r\nContent-Length: 64000000\r\n\r\n`;
    let failed = false;
    connection.send(head).socket.write(Buffer.alloc(64_000_000), (error) => {
      failed = error instanceof Error;
    });
    expect((await connection.untilAnswers(1))[0]!.status).toBe(413);
    await connection.untilClosed();
    expect(failed).toBe(true);
  });

  it('is refused over gRPC', async () => {
    const tooLarge = (): Promise<number> => metric(scene.gateway, 'sluice_faults_total', { code: 'BODY_TOO_LARGE' });
    const before = await tooLarge();
    const caller = new GrpcCaller(scene.gateway.grpcAddress, scene.key);
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2] }];
    const answer = await caller.call('ModelInfer', { model_name: 'grpc', inputs, raw_input_contents: [Buffer.alloc(2 * MIB)] });
    // The package has answered by the length that the message states; the gateway books it as what it is.
    expect(answer.code).toBe(8);
    await eventually('the fault', async () => (await tooLarge()) === before + 1);
    caller.close();
    await scene.idle();
  });
});
