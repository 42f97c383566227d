import { request } from 'node:http';
import { connect } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { GrpcCaller } from '../support/clients.ts';
import { FaultScene } from '../support/fault-scene.ts';
import { eventually, runCli } from '../support/gateway-under-test.ts';
import { answerEcho, type OipAnswer } from '../support/oip-server.ts';
import { RawConnection } from '../support/raw-http.ts';

const DELAY_MS = 1_500;
/** Five times what a process needs to end that waits for nobody. */
const END_LIMIT_MS = 10_000;
const UNAVAILABLE = 14;

let scene: FaultScene;
let stopped = false;
afterEach(async () => {
  if (!stopped) await scene.stop();
});

async function start(shutdown: object, model: Readonly<Record<string, unknown>> = {}): Promise<void> {
  stopped = false;
  scene = await FaultScene.start({ config: { shutdown }, model });
}

/** Answers of the gRPC backend wait until the test lets them go. */
function held(): { readonly release: () => void } {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((done) => {
    release = done;
  });
  scene.behave({ grpc: (call, model): Promise<OipAnswer> => gate.then(() => answerEcho(call, model)) });
  return { release: () => release() };
}

const statusOf = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    request(`${scene.gateway.httpUrl}${path}`, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .once('error', reject)
      .end();
  });

function infer(connection: RawConnection): RawConnection {
  const body = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}';
  return connection.send(
    `POST /v2/models/grpc/infer HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${scene.key}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

describe('SIGTERM', () => {
  it('makes the gateway unready at once, while it serves on for as long as a load balancer needs', async () => {
    await start({ delayMs: DELAY_MS, graceMs: 20_000 });
    const health = (): Promise<{ code: number | null }> => runCli(['health', '--url', scene.gateway.httpUrl]);
    expect([await statusOf('/v2/health/ready'), (await health()).code]).toEqual([200, 0]);
    const grpc = new GrpcCaller(scene.gateway.grpcAddress, scene.key);
    const ending = scene.stop();
    stopped = true;
    const told = Date.now();
    await eventually('not ready', async () => (await statusOf('/v2/health/ready')) === 503, DELAY_MS);
    expect((await grpc.call('ServerReady', {})).message).toMatchObject({ ready: false });
    expect(await statusOf('/v2/health/live')).toBe(200);
    const answers = [await scene.ask('rest', 'http'), await scene.ask('grpc', 'grpc')];
    expect(answers.map(({ code }) => code)).toEqual(['OK', 'OK']);
    expect(await ending).toBe(0);
    expect(Date.now() - told).toBeGreaterThanOrEqual(DELAY_MS * 0.9);
    expect((await health()).code).toBe(1);
    grpc.close();
  });

  it('lets what is in flight end, tells its clients to go, and takes nothing new', async () => {
    await start({ graceMs: 20_000 }, { timeoutMs: 20_000 });
    const gate = held();
    const seen = scene.calls('grpc');
    const connection = infer(await RawConnection.open(scene.gateway.httpPort));
    const idle = await RawConnection.open(scene.gateway.httpPort);
    const overGrpc = scene.ask('grpc', 'grpc');
    const session = connect(`http://${scene.gateway.grpcAddress}`);
    const goaway = new Promise<number>((done) => session.once('goaway', done));
    await scene.servers.grpc.called(seen + 2);
    const ending = scene.stop();
    stopped = true;
    await idle.untilEnd();
    expect(await goaway).toBe(0);
    await expect(statusOf('/v2/health/live')).rejects.toThrow();
    gate.release();
    const [answer] = await connection.untilAnswers(1);
    expect([answer!.status, answer!.headers.get('connection')]).toEqual([200, 'close']);
    expect((await overGrpc).code).toBe('OK');
    expect(await ending).toBe(0);
    session.destroy();
  });

  it('ends at the end of the grace what does not end by itself, and is still an orderly end', async () => {
    await start({ graceMs: 300 }, { timeoutMs: 60_000 });
    held();
    const seen = scene.calls('grpc');
    const connection = infer(await RawConnection.open(scene.gateway.httpPort));
    const overGrpc = scene.ask('grpc', 'grpc');
    await scene.servers.grpc.called(seen + 2);
    const startedMs = performance.now();
    const ending = scene.stop();
    stopped = true;
    const [answer] = await connection.untilEnd();
    expect([answer!.status, answer!.body]).toEqual([503, expect.stringContaining('"DRAINING"')]);
    expect(await overGrpc).toMatchObject({ code: 'DRAINING', status: UNAVAILABLE });
    expect(await ending).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(END_LIMIT_MS);
  });

  it('for the second time ends the process at once, and says by its code that it was not finished', async () => {
    await start({ graceMs: 60_000 }, { timeoutMs: 60_000 });
    held();
    const seen = scene.calls('grpc');
    infer(await RawConnection.open(scene.gateway.httpPort));
    await scene.servers.grpc.called(seen + 1);
    const startedMs = performance.now();
    const ending = scene.stop();
    stopped = true;
    await eventually('the first is heard', () => scene.gateway.output().includes('"stopping"'));
    scene.gateway.process.kill('SIGTERM');
    expect(await ending).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(END_LIMIT_MS);
  });
});
