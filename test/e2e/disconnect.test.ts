import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/core/control-plane.ts';
import { GrpcCaller } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { answerNever, type OipServer, startOipServer } from '../support/oip-server.ts';
import { slowModel } from '../support/onnx-models.ts';

const X = { name: 'x', datatype: 'FP32', shape: [1, 1] };
const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 1] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 1] }],
};
/** From the client's own end of its connection to the backend's view of the cancel. */
const CANCEL_LIMIT_MS = 500;
/** Rounds of the slow model: some hundred milliseconds of work that nothing can interrupt. */
const ROUNDS = 60_000;
/** A thread is given the run it works on and one more, so that it never idles; what was given cannot be taken back. */
const RUNS_GIVEN_AHEAD = 2;
const QUEUED = 8;

let dir: string;
let backend: OipServer;
let gateway: GatewayUnderTest;
let grpc: GrpcCaller;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-disconnect-'));
  const slow = join(dir, 'slow.onnx');
  writeFileSync(slow, slowModel());
  backend = await startOipServer({ models: [MODEL], onInfer: () => answerNever });
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      hanging: { timeoutMs: 600_000, variants: [grpcVariant('v1', 'stable', backend.address, {}, { model: 'm' })] },
      slow: { timeoutMs: 600_000, variants: [{ name: 'v1', role: 'stable', backend: { kind: 'onnx', path: slow } }] },
    },
  });
  grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
});

afterAll(async () => {
  grpc.close();
  expect(await gateway.stop()).toBe(0);
  await backend.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A connection with one REST inference on it. */
function askByRest(model: string, inputs: readonly object[]): Socket {
  const body = JSON.stringify({ inputs });
  const socket = connect(gateway.httpPort, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `POST /v2/models/${model}/infer HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${gateway.keys['alpha']}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return socket;
}

/** A connection that can be cut, as a pulled plug does; the client package would first let its calls end. */
interface Line {
  readonly address: string;
  cut(): void;
  close(): Promise<void>;
}

async function lineTo(address: string): Promise<Line> {
  const [host, port] = address.split(':');
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(end);
      end.on('error', () => undefined);
      end.once('close', () => other.destroy());
      end.pipe(other);
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const cut = (): void => {
    for (const end of ends) end.resetAndDestroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    close: () => {
      cut();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

/** Milliseconds from `leave` to the moment that the backend notes on its own clock. */
async function cancelDelayMs(seen: number, leave: () => void): Promise<number> {
  await backend.called(seen + 1);
  const leftAtMs = performance.now();
  const cancels = backend.cancels.length;
  leave();
  await backend.cancelled(cancels + 1);
  return backend.cancelledAtMs.at(-1)! - leftAtMs;
}

const idle = (): Promise<void> =>
  eventually('no request in flight', async () => (await metric(gateway, 'sluice_requests_in_flight')) === 0, 60_000);

describe('a client that disconnects stops the backend call', () => {
  it.each([
    ['by closing its HTTP connection', (socket: Socket) => socket.destroy()],
    ['by resetting its HTTP connection', (socket: Socket) => socket.resetAndDestroy()],
  ])('%s, as the clock of the backend tells', async (_, leave) => {
    const seen = backend.callCount;
    const socket = askByRest('hanging', [{ ...X, data: [1] }]);
    expect(await cancelDelayMs(seen, () => leave(socket))).toBeLessThan(CANCEL_LIMIT_MS);
    await idle();
  });

  it.each([
    ['by cancelling its gRPC call', (_line: Line, cancel: () => void) => cancel()],
    ['by the death of its gRPC connection', (line: Line) => line.cut()],
  ])('%s, as the clock of the backend tells', async (_, leave) => {
    const seen = backend.callCount;
    const line = await lineTo(gateway.grpcAddress);
    const caller = new GrpcCaller(line.address, gateway.keys['alpha']!);
    let cancel = (): void => {};
    const request = { model_name: 'hanging', inputs: [X], raw_input_contents: [Buffer.alloc(4)] };
    const answer = caller.call('ModelInfer', request, {}, (stop) => {
      cancel = stop;
    });
    expect(await cancelDelayMs(seen, () => leave(line, cancel))).toBeLessThan(CANCEL_LIMIT_MS);
    expect((await answer).code).not.toBe(0);
    caller.close();
    await line.close();
    await idle();
  });
});

describe('clients that disconnect while their rows wait for a thread', () => {
  const rounds = (count: number): object => ({ name: 'rounds', datatype: 'INT64', shape: [1], data: [count] });
  const runs = (): Promise<number> => metric(gateway, 'sluice_batch_rows_count', { model: 'slow' });
  const inFlight = async (): Promise<number> => (await admin<PlanView>(gateway, 'GET', 'plans/slow')).variants[0]!.inFlight;

  it('leave no row behind that still runs', async () => {
    const sockets = Array.from({ length: QUEUED }, () => askByRest('slow', [rounds(ROUNDS)]));
    await eventually('all at the model', async () => (await inFlight()) === QUEUED);
    for (const socket of sockets) socket.destroy();
    await idle();
    await eventually('no call left', async () => (await inFlight()) === 0, 60_000);
    // A run that came after them is over, so none of theirs can still be on its way.
    const after = await grpc.infer('slow', [{ name: 'rounds', datatype: 'INT64', shape: [1], raw: Buffer.alloc(8) }]);
    expect(after.code, after.details).toBe(0);
    expect(await runs()).toBeLessThanOrEqual(RUNS_GIVEN_AHEAD + 1);
    const gone = await metric(gateway, 'sluice_backend_attempts_total', { model: 'slow', code: 'CLIENT_GONE' });
    expect(gone).toBe(QUEUED);
  });
});
