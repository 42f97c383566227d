import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller } from '../support/clients.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { type Face, FaultScene, type Kind } from '../support/fault-scene.ts';
import { eventually, metric } from '../support/gateway-under-test.ts';
import { InferStream } from '../support/infer-stream.ts';
import { answerNever as neverByGrpc } from '../support/oip-server.ts';
import { answerNever as neverByHttp } from '../support/scripted-http-server.ts';
import { StreamCaller } from '../support/stream-caller.ts';

/** Five times the 100 ms in which a backend is told that nobody waits any more. */
const CANCEL_LIMIT_MS = 500;
const ROUNDS = 400;
const AT_ONCE = 40;

let scene: FaultScene;
beforeAll(async () => {
  scene = await FaultScene.start({ model: { timeoutMs: 600_000 } });
});
afterEach(() => scene.heal());
afterAll(async () => expect(await scene.stop()).toBe(0));

const BODY = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}';

/** A connection on which an inference has been asked with so many bytes of its body. */
function ask(model: string, bodyBytes = BODY.length, port = scene.gateway.httpPort): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `POST /v2/models/${model}/infer HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${scene.key}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${BODY.length}\r\n\r\n${BODY.slice(0, bodyBytes)}`,
  );
  return socket;
}

const clientGone = (): Promise<number> => metric(scene.gateway, 'sluice_faults_total', { code: 'CLIENT_GONE' });

describe('a client that leaves amid its body', () => {
  it.each([
    ['by closing', (socket: Socket) => socket.destroy()],
    ['by a reset', (socket: Socket) => socket.resetAndDestroy()],
    ['by its end of the connection', (socket: Socket) => socket.end()],
  ])('over HTTP, %s, has nothing asked of a backend and is charged nothing', async (_what, leave) => {
    const before = { usage: await scene.usage('http'), calls: scene.calls('http'), gone: await clientGone() };
    const socket = ask('http', 20);
    await eventually('the request', async () => (await metric(scene.gateway, 'sluice_requests_in_flight')) === 1);
    leave(socket);
    await scene.idle();
    expect(await clientGone()).toBe(before.gone + 1);
    expect([await scene.usage('http'), scene.calls('http')]).toEqual([before.usage, before.calls]);
    socket.destroy();
  });

  it('over a wire that dies after each number of bytes leaves nothing behind', async () => {
    const proxy = await FaultProxy.start(scene.gateway.httpUrl);
    const calls = scene.calls('http');
    const usage = await scene.usage('http');
    const headBytes = 150 + scene.key.length;
    for (let at = 1; at < headBytes + BODY.length - 40; at += 9) {
      proxy.set('request', { is: 'reset', at });
      const socket = ask('http', BODY.length, proxy.port);
      await new Promise((done) => socket.once('close', done));
    }
    await scene.idle();
    expect([scene.calls('http'), await scene.usage('http')]).toEqual([calls, usage]);
    await proxy.close();
  });

  it('over gRPC has nothing asked of a backend and is charged nothing', async () => {
    const proxy = await FaultProxy.start(scene.gateway.grpcAddress);
    const before = { usage: await scene.usage('grpc'), calls: scene.calls('grpc') };
    for (const at of [30, 90, 150, 250]) {
      proxy.set('request', { is: 'reset', at });
      const caller = new GrpcCaller(proxy.address, scene.key);
      const request = { model_name: 'grpc', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }] };
      const raw = { ...request, raw_input_contents: [Buffer.alloc(8)], parameters: { pad: { string_param: 'x'.repeat(4_000) } } };
      expect((await caller.call('ModelInfer', raw)).code).not.toBe(0);
      caller.close();
    }
    await scene.idle();
    expect({ usage: await scene.usage('grpc'), calls: scene.calls('grpc') }).toEqual(before);
    await proxy.close();
  });
});

describe('a client that leaves while it waits for its answer', () => {
  it.each<readonly [Face, Kind]>([
    ['rest', 'http'],
    ['rest', 'grpc'],
    ['grpc', 'http'],
    ['grpc', 'grpc'],
  ])('over %s has its call to a backend over %s cancelled in time', async (face, kind) => {
    scene.behave({ http: () => neverByHttp, grpc: () => neverByGrpc });
    const server = scene.servers[kind];
    const seen = { calls: scene.calls(kind), cancels: server.cancels.length };
    const caller = new GrpcCaller(scene.gateway.grpcAddress, scene.key);
    let leave: () => void;
    if (face === 'rest') {
      const socket = ask(kind);
      leave = () => socket.destroy();
    } else {
      const request = { model_name: kind, inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }] };
      leave = () => undefined;
      void caller.call('ModelInfer', { ...request, raw_input_contents: [Buffer.alloc(8)] }, {}, (cancel) => {
        leave = cancel;
      });
    }
    await eventually('the call', () => scene.calls(kind) > seen.calls);
    const leftMs = performance.now();
    leave();
    await server.cancelled(seen.cancels + 1);
    expect(performance.now() - leftMs).toBeLessThan(CANCEL_LIMIT_MS);
    await scene.idle();
    caller.close();
  });

  it('amid a stream takes all its messages along, and no permit stays behind', async () => {
    scene.behave({ grpc: () => neverByGrpc });
    const { grpc } = scene.servers;
    const seen = { calls: grpc.callCount, cancels: grpc.cancels.length };
    const caller = new StreamCaller(scene.gateway.grpcAddress);
    const stream = new InferStream(caller, scene.key);
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2] }];
    for (let i = 0; i < 20; i++) stream.send({ model_name: 'grpc', id: `m${i}`, inputs, raw_input_contents: [Buffer.alloc(8)] });
    await grpc.called(seen.calls + 20);
    const leftMs = performance.now();
    stream.call.call.cancel();
    await grpc.cancelled(seen.cancels + 20);
    expect(performance.now() - leftMs).toBeLessThan(CANCEL_LIMIT_MS);
    caller.close();
    await scene.idle();
  });

  it('again and again, at any moment, leaves no permit, no byte and no call behind', async () => {
    scene.behave({ http: () => neverByHttp, grpc: () => neverByGrpc });
    const caller = new GrpcCaller(scene.gateway.grpcAddress, scene.key);
    const request = { model_name: 'grpc', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }] };
    for (let round = 0; round < ROUNDS / AT_ONCE; round++) {
      const sockets = Array.from({ length: AT_ONCE / 2 }, (_, i) => ask(i % 2 === 0 ? 'http' : 'grpc'));
      const cancels: (() => void)[] = [];
      const calls = Array.from({ length: AT_ONCE / 2 }, () =>
        caller.call('ModelInfer', { ...request, raw_input_contents: [Buffer.alloc(8)] }, {}, (cancel) => cancels.push(cancel)),
      );
      // Some before the gateway has read them, some while it decodes, some while the backend works.
      for (let i = 0; i < AT_ONCE / 2; i++) {
        if (i % 4 === 0) await new Promise((done) => setImmediate(done));
        sockets[i]!.resetAndDestroy();
        cancels[i]!();
      }
      await Promise.all(calls);
    }
    caller.close();
    await scene.idle();
    // What was held is there to be taken again: as many as a tenant may have.
    await scene.heal();
    const all = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => scene.ask(i % 2 === 0 ? 'rest' : 'grpc', 'grpc')));
    expect(all.every(({ code }) => code === 'OK')).toBe(true);
  });
});
