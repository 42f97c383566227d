import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { cappedAt, HANG, type LaneFault } from '../../support/fault-lane.ts';
import { type Direction, FaultProxy } from '../../support/fault-proxy.ts';

/** What one end of a connection has received, and how it ended. */
interface End {
  readonly received: Buffer;
  readonly end: 'fin' | 'reset' | 'open';
}

const SEED = { seed: 20_261, numRuns: 25 };
/** Where no end is expected, what has come in so long is all there is. */
const QUIET_MS = 60;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A server that sends `answer` in pieces as soon as it is connected, then its FIN; resolves `heard` with what it got itself. */
async function serve(answer: readonly Buffer[]): Promise<{ proxy: FaultProxy; heard: Promise<End> }> {
  let settle: (end: End) => void = () => undefined;
  const heard = new Promise<End>((resolve) => {
    settle = resolve;
  });
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    void listen(socket).then(settle);
    for (const piece of answer) socket.write(piece);
    socket.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const proxy = await FaultProxy.start(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  cleanups.push(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((done) => server.close(() => done()));
  });
  return { proxy, heard };
}

function listen(socket: Socket): Promise<End> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const done = (end: End['end']): void => resolve({ received: Buffer.concat(chunks), end });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', () => done('fin'));
    socket.once('error', () => done('reset'));
    socket.once('close', () => done('reset'));
  });
}

/** Sends `pieces` and a FIN through the proxy; resolves with what came back. */
function call(proxy: FaultProxy, pieces: readonly Buffer[]): Promise<End> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  cleanups.push(() => Promise.resolve(void socket.destroy()));
  const end = listen(socket);
  for (const piece of pieces) socket.write(piece);
  socket.end();
  return end;
}

const pieces = fc.array(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  { minLength: 1, maxLength: 8 },
);
const gentle: fc.Arbitrary<LaneFault> = fc.constantFrom<LaneFault>(
  { is: 'none' },
  { is: 'delay', ms: 3 },
  { is: 'trickle', bytes: 200, everyMs: 1 },
  cappedAt(1_000_000),
);

describe('the fault proxy', () => {
  it('hands on every byte and both ends unchanged, also late and in drops', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, pieces, gentle, gentle, async (sent, answered, request, answer) => {
        const { proxy, heard } = await serve(answered);
        proxy.set('request', request);
        proxy.set('answer', answer);
        expect(await call(proxy, sent)).toEqual({ received: Buffer.concat(answered), end: 'fin' });
        expect(await heard).toEqual({ received: Buffer.concat(sent), end: 'fin' });
        expect(proxy.bytes('request')).toBe(Buffer.concat(sent).length);
        expect(proxy.bytes('answer')).toBe(Buffer.concat(answered).length);
        expect(proxy.connections).toBe(1);
      }),
      SEED,
    );
  });

  it('resets both ends when exactly so many bytes have passed', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(), fc.constantFrom<Direction>('request', 'answer'), async (bytes, place, direction) => {
        const whole = Buffer.concat(bytes);
        const at = place % whole.length;
        const { proxy, heard } = await serve(direction === 'answer' ? bytes : []);
        // The other direction says nothing, so that its own end does not come first.
        proxy.set(direction === 'answer' ? 'request' : 'answer', HANG);
        proxy.set(direction, { is: 'reset', at });
        const came = await call(proxy, direction === 'request' ? bytes : []);
        const ends = direction === 'answer' ? [came, await heard] : [await heard, came];
        expect(ends[0]).toEqual({ received: whole.subarray(0, at), end: 'reset' });
        expect(ends[1]).toEqual({ received: Buffer.alloc(0), end: 'reset' });
      }),
      SEED,
    );
  });

  it('replaces each byte from a place on, and none before it', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(), async (answered, place) => {
        const whole = Buffer.concat(answered);
        const from = place % whole.length;
        const { proxy } = await serve(answered);
        proxy.set('answer', { is: 'garbage', from });
        const { received, end } = await call(proxy, []);
        expect([received.length, end]).toEqual([whole.length, 'fin']);
        expect([...received].map((byte, i) => byte === whole[i])).toEqual(Array.from(whole, (_, i) => i < from));
      }),
      SEED,
    );
  });

  it('closes one direction after so many bytes while the other goes on', async () => {
    const { proxy, heard } = await serve([Buffer.from('abcdef')]);
    proxy.set('answer', { is: 'halfClose', at: 4 });
    expect(await call(proxy, [Buffer.from('request')])).toEqual({ received: Buffer.from('abcd'), end: 'fin' });
    expect(await heard).toEqual({ received: Buffer.from('request'), end: 'fin' });
  });

  it('keeps everything back while it hangs, and hands it on when healed', async () => {
    const { proxy, heard } = await serve([Buffer.from('answer')]);
    proxy.hang();
    const came = call(proxy, [Buffer.from('request')]);
    const waited = new Promise<'quiet'>((done) => setTimeout(done, QUIET_MS, 'quiet'));
    expect(await Promise.race([came, heard, waited])).toBe('quiet');
    expect([proxy.openConnections, proxy.bytes('request'), proxy.bytes('answer')]).toEqual([1, 0, 0]);
    await proxy.heal();
    expect((await came).received.toString()).toBe('answer');
    expect((await heard).received.toString()).toBe('request');
  });

  it('makes the sender wait rather than keep what the receiver does not take', async () => {
    const { proxy } = await serve([Buffer.alloc(32 * 1_048_576)]);
    const socket = connect({ port: proxy.port, host: '127.0.0.1' });
    cleanups.push(() => Promise.resolve(void socket.destroy()));
    socket.pause();
    await new Promise((done) => setTimeout(done, QUIET_MS));
    // Two kernel buffers and the little that the proxy keeps.
    expect(proxy.bytes('answer')).toBeLessThan(16 * 1_048_576);
  });

  it('lets no more through than its bandwidth', async () => {
    const { proxy } = await serve([Buffer.alloc(2_000)]);
    proxy.set('answer', cappedAt(20_000));
    const startedMs = performance.now();
    expect((await call(proxy, [])).received.length).toBe(2_000);
    expect(performance.now() - startedMs).toBeGreaterThan(90);
  });

  it('refuses connections on a closed port and takes them on the same port when healed', async () => {
    const { proxy } = await serve([Buffer.from('up')]);
    const { port } = proxy;
    await proxy.refuse();
    const refused = await new Promise<string>((done) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? ''));
      socket.once('connect', () => done('connected'));
    });
    expect(refused).toBe('ECONNREFUSED');
    await proxy.heal();
    expect(proxy.port).toBe(port);
    expect((await call(proxy, [])).received.toString()).toBe('up');
  });
});
