import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultScene } from '../support/fault-scene.ts';
import { eventually, metric } from '../support/gateway-under-test.ts';
import { RawConnection } from '../support/raw-http.ts';

const UNLIMITED = 1_000_000;
const openFiles = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? UNLIMITED);

/** Opens so many connections, some hundred at a time; each resolves when it stands. */
async function open(count: number, port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from(
      { length: Math.min(500, count - sockets.length) },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(port, '127.0.0.1', () => {
            socket.off('error', reject);
            socket.on('error', () => undefined);
            resolve(socket);
          });
          socket.once('error', reject);
        }),
    );
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** The middle of some answer times, one after another. */
async function medianMs(scene: FaultScene): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 100; i++) {
    const told = await scene.ask('rest', 'http');
    expect(told.code).toBe('OK');
    times.push(told.tookMs);
  }
  return times.sort((a, b) => a - b)[50]!;
}

const cpuS = (scene: FaultScene): Promise<number> => metric(scene.gateway, 'process_cpu_seconds_total');

/** As many as this machine allows to a process, and a part of its descriptors left. */
const COUNT = Math.min(10_000, Math.floor(openFiles * 0.8) - 200);

describe(`${COUNT} idle connections`, () => {
  /** Five times the ten kilobytes that each may cost. */
  const LIMIT_BYTES = 50_000;
  /** The scene's own clients keep some as well. */
  const SPARE = 64;

  let scene: FaultScene;
  beforeAll(async () => {
    const http = { maxConnections: COUNT + SPARE, headersTimeoutMs: 60_000, bodyTimeoutMs: 60_000 };
    scene = await FaultScene.start({ config: { listen: { http } } });
  });
  afterAll(async () => expect(await scene.stop()).toBe(0));

  it('cost little memory and no time, and past the limit the newest is refused', async () => {
    const rss = (): Promise<number> => metric(scene.gateway, 'process_resident_memory_bytes');
    const before = { rss: await rss(), ms: await medianMs(scene) };
    const sockets = await open(COUNT, scene.gateway.httpPort);
    const each = ((await rss()) - before.rss) / COUNT;
    expect(each).toBeLessThan(LIMIT_BYTES);
    expect(await medianMs(scene)).toBeLessThan(5 * before.ms + 20);
    const more = await open(SPARE + 20, scene.gateway.httpPort);
    const refused = (): number => more.filter((socket) => socket.destroyed || socket.readableEnded).length;
    for (const socket of more) socket.resume();
    await eventually('the newest refused', () => refused() >= 20);
    expect(await metric(scene.gateway, 'sluice_http_rejected_total', { code: 'OVERLOADED' })).toBeGreaterThanOrEqual(20);
    // Those that were there before are as good as ever.
    expect(sockets.filter((socket) => socket.destroyed)).toEqual([]);
    const oldest = RawConnection.over(sockets[0]!);
    oldest.send('GET /v2/health/live HTTP/1.1\r\nHost: gate\r\n\r\n');
    expect((await oldest.untilAnswers(1))[0]!.status).toBe(200);
    for (const socket of [...sockets, ...more]) socket.destroy();
    await eventually('room again', async () => (await scene.ask('rest', 'http').catch(() => null))?.code === 'OK');
  });
});

describe.runIf(process.platform === 'linux')('descriptors that are nearly used up', () => {
  const PERCENT = Math.max(1, Math.ceil(30_000 / openFiles));
  const LIMIT = Math.floor((openFiles * PERCENT) / 100);
  const WATCHED_MS = 1_000;

  let scene: FaultScene;
  beforeAll(async () => {
    scene = await FaultScene.start({ config: { limits: { maxOpenFilesPercent: PERCENT } } });
    await scene.ask('rest', 'http');
    await scene.ask('grpc', 'grpc');
  });
  afterAll(async () => expect(await scene.stop()).toBe(0));

  const saysFull = (): number => scene.gateway.output().split('nearly out of file descriptors').length - 1;

  it('have new connections closed on both faces, with one log line, while those that stand are served', async () => {
    const sockets = await open(LIMIT, scene.gateway.httpPort);
    for (const socket of sockets) socket.resume();
    await eventually('the first closed', () => sockets.some((socket) => socket.destroyed));
    const standing = sockets.filter((socket) => !socket.destroyed);
    expect(standing.length).toBeGreaterThan(LIMIT / 2);
    const client = RawConnection.over(standing[0]!);
    client.send('GET /v2/health/live HTTP/1.1\r\nHost: gate\r\n\r\n');
    expect((await client.untilAnswers(1))[0]!.status).toBe(200);
    const overGrpc = await RawConnection.open(Number(scene.gateway.grpcAddress.split(':')[1]));
    await overGrpc.untilEnd();
    // The gRPC client has a connection from before, and what it asks for reaches the backend.
    expect((await scene.ask('grpc', 'grpc')).code).toBe('OK');
    await eventually('the log line', () => saysFull() > 0);
    const before = await cpuS(scene);
    await new Promise((done) => setTimeout(done, WATCHED_MS));
    // A loop that spins on a connection it cannot take would need all of it.
    expect((await cpuS(scene)) - before).toBeLessThan(WATCHED_MS / 2_000);
    for (const socket of sockets) socket.destroy();
    await eventually('room again', async () => {
      const fresh = await RawConnection.open(scene.gateway.httpPort);
      const answers = await fresh.send('GET /v2/health/live HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n').untilEnd();
      return answers[0]?.status === 200;
    });
    await eventually('the other log line', () => scene.gateway.output().includes('taking new connections again'));
    expect(saysFull()).toBe(1);
  });
});
