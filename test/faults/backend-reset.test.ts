import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FaultScene, PRICE_NANO, WAYS } from '../support/fault-scene.ts';
import { InferStream } from '../support/infer-stream.ts';
import { StreamCaller } from '../support/stream-caller.ts';

const RECOVERY_LIMIT_MS = 25_000;

let scene: FaultScene;
beforeAll(async () => {
  scene = await FaultScene.start();
});
afterEach(() => scene.recover());
afterAll(async () => expect(await scene.stop()).toBe(0));

/** Fewest bytes that one answer takes on a connection that stands: over HTTP/2 the first of each second has a date to tell. */
async function answerBytes(kind: 'http' | 'grpc'): Promise<number> {
  await scene.ask('rest', kind);
  let fewest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const before = scene.proxies[kind].bytes('answer');
    await scene.ask('rest', kind);
    fewest = Math.min(fewest, scene.proxies[kind].bytes('answer') - before);
  }
  return fewest;
}

describe('a connection that is reset amid an answer', () => {
  it.each(WAYS)(
    'fails that caller of %s in front of %s, is never taken for an answer, and is charged at most once',
    async (face, kind) => {
      const size = await answerBytes(kind);
      for (const at of [1, Math.floor(size / 2), size - 1]) {
        const before = await scene.usage(kind);
        scene.proxies[kind].set('answer', { is: 'reset', at });
        const told = await scene.ask(face, kind);
        await scene.heal();
        await scene.idle();
        const after = await scene.usage(kind);
        expect(after.requests - before.requests).toBe(1);
        // The last byte of a gRPC answer is the end of its trailers' frame, and of an HTTP one of its body: nothing is whole before.
        expect(told.code, `${at} of ${size}: ${told.text}`).toMatch(/^BACKEND_(FAILED|UNREACHABLE)$/);
        expect([after.failures - before.failures, after.costNano - before.costNano]).toEqual([1, 0]);
        expect(await scene.recoveryMs(face, kind)).toBeLessThan(RECOVERY_LIMIT_MS);
      }
    },
  );

  it('before its first byte is asked again on another connection, once, and charged once', async () => {
    await scene.ask('rest', 'http');
    const before = await scene.usage('http');
    const calls = scene.calls('http');
    // Only the connection that stands dies; the next one is a new one.
    scene.proxies.http.set('answer', { is: 'reset', at: 0 });
    const asking = scene.ask('rest', 'http');
    await scene.servers.http.called(calls + 1, '/infer');
    await scene.proxies.http.heal();
    const told = await asking;
    await scene.idle();
    const after = await scene.usage('http');
    expect(scene.calls('http') - calls).toBeLessThanOrEqual(2);
    expect(after.requests - before.requests).toBe(1);
    expect(after.costNano - before.costNano).toBe(told.code === 'OK' ? PRICE_NANO : 0);
  });

  it('is not asked for again and again while it goes on', async () => {
    await scene.ask('rest', 'http');
    const calls = scene.calls('http');
    scene.proxies.http.set('answer', { is: 'reset', at: 0 });
    for (let i = 0; i < 100; i++) expect((await scene.ask('rest', 'http')).code).not.toBe('OK');
    // Three open the circuit; then there is one on trial once a while. Each may be asked anew on another connection.
    expect(scene.calls('http') - calls).toBeLessThanOrEqual(30);
  });
});

describe('a connection that is reset amid a stream of requests', () => {
  it.each([['http'], ['grpc']] as const)(
    'in front of %s fails the messages it took along, and the stream goes on',
    async (kind) => {
      const size = await answerBytes(kind);
      const caller = new StreamCaller(scene.gateway.grpcAddress);
      const stream = new InferStream(caller, scene.key);
      const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2] }];
      const send = async (id: string): Promise<string> => {
        stream.send({ model_name: kind, id, inputs, raw_input_contents: [Buffer.alloc(8)] });
        return (await stream.answersById(stream.answers.length + 1)).get(id)!.error;
      };
      expect(await send('before')).toBe('');
      scene.proxies[kind].set('answer', { is: 'reset', at: Math.floor(size / 2) });
      expect(await send('amid')).not.toBe('');
      await scene.heal();
      await scene.recoveryMs('grpc', kind);
      expect(await send('after')).toBe('');
      stream.end();
      expect((await stream.call.status).code).toBe(0);
      caller.close();
      await scene.idle();
    },
  );
});
