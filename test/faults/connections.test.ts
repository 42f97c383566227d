import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Face, FaultScene } from '../support/fault-scene.ts';
import { eventually, metric } from '../support/gateway-under-test.ts';
import { openIdle, SIGN_OF_LIFE } from '../support/idle-connections.ts';
import { RawConnection } from '../support/raw-http.ts';

const UNLIMITED = 1_000_000;
const openFiles = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? UNLIMITED);

interface Spread {
  readonly p50: number;
  readonly p99: number;
}

/** How long answers take, one after another. */
async function tookMs(scene: FaultScene, face: Face): Promise<Spread> {
  const times: number[] = [];
  for (let i = 0; i < 300; i++) {
    const told = await scene.ask(face, 'http');
    expect(told.code).toBe('OK');
    times.push(told.tookMs);
  }
  times.sort((x, y) => x - y);
  return { p50: times[150]!, p99: times[297]! };
}

const cpuS = (scene: FaultScene): Promise<number> => metric(scene.gateway, 'process_cpu_seconds_total');

/** 10,000 with FAULT_CONNECTIONS=10000 on a machine that allows a process so many. */
const COUNT = Math.min(Number(process.env['FAULT_CONNECTIONS'] ?? 1_000), Math.floor(openFiles * 0.8) - 200);

describe.each(['rest', 'grpc'] as const)('idle connections over %s', (face) => {
  /** Twice of what one costs in resident memory: 12 to 15 KB over HTTP and 22 KB over gRPC, of which node itself needs 11 and 17. */
  const LIMIT_BYTES = face === 'rest' ? 30_000 : 45_000;
  /** The young part of the heap grows once, whatever the number. */
  const YOUNG_BYTES = 64 * 1_048_576;
  /** The scene's own clients keep some as well. */
  const SPARE = 64;

  let scene: FaultScene;
  beforeAll(async () => {
    const maxConnections = COUNT + SPARE;
    const http = { maxConnections, headersTimeoutMs: 60_000, bodyTimeoutMs: 60_000 };
    scene = await FaultScene.start({ config: { listen: { http, grpc: { maxConnections } } } });
  });
  afterAll(async () => expect(await scene.stop()).toBe(0));

  const port = (): number => (face === 'rest' ? scene.gateway.httpPort : Number(scene.gateway.grpcAddress.split(':')[1]));
  const refused = (): Promise<number> =>
    face === 'rest'
      ? metric(scene.gateway, 'sluice_http_rejected_total', { code: 'OVERLOADED' })
      : metric(scene.gateway, 'sluice_grpc_connections_refused_total');

  it('cost little memory and no time, and past the limit the newest is refused', async () => {
    const rss = (): Promise<number> => metric(scene.gateway, 'process_resident_memory_bytes');
    const [bytesBefore, before] = [await rss(), await tookMs(scene, face)];
    const sockets = await openIdle(face, port(), COUNT);
    const grown = (await rss()) - bytesBefore;
    const after = await tookMs(scene, face);
    const figures = { face, count: COUNT, bytesEach: Math.round(grown / COUNT), before, after };
    if (process.env['SHOW_FIGURES'] === '1') process.stdout.write(`${JSON.stringify(figures)}\n`);
    expect(grown).toBeLessThan(YOUNG_BYTES + COUNT * LIMIT_BYTES);
    expect(after.p50).toBeLessThan(5 * before.p50 + 20);
    const more = await openIdle(face, port(), SPARE + 20);
    const closed = (): number => more.filter((socket) => socket.destroyed || socket.readableEnded).length;
    for (const socket of more) socket.resume();
    await eventually('the newest refused', () => closed() >= 20);
    expect(await refused()).toBeGreaterThanOrEqual(20);
    // Those that were there before are as good as ever.
    expect(sockets.filter((socket) => socket.destroyed)).toEqual([]);
    const [question, answer] = SIGN_OF_LIFE[face];
    await RawConnection.over(sockets[0]!).send(question).until(answer);
    for (const socket of [...sockets, ...more]) socket.destroy();
    await eventually('room again', async () => (await scene.ask(face, 'http').catch(() => null))?.code === 'OK');
    await eventually('for new ones', async () => {
      const [fresh] = await openIdle(face, port(), 1);
      const told = await RawConnection.over(fresh!)
        .send(question)
        .until(answer)
        .catch(() => '');
      fresh!.destroy();
      return told !== '';
    });
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
    const sockets = await openIdle('rest', scene.gateway.httpPort, LIMIT);
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
