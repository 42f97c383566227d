import { constants, type ServerHttp2Stream } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, type BareServer, startBareServer } from '../support/bare-http2-server.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { readInferRequest, writeInferResponse, writeModelMetadata, writeReady } from '../support/oip-messages.ts';

/** The gateway in front of a server that leaves, or has no room: what it says it has not looked at is asked again, and done once. */

const TENSORS = [{ name: 'x', datatype: 'FP32', shape: [-1] }];

/** A server of one model, which does with predictions as a test wants. */
class LeavingServer {
  /** Ids of the requests that were done, in their order. */
  readonly done: string[] = [];
  /** True takes the stream for itself. */
  onInfer: (stream: ServerHttp2Stream) => boolean = () => false;
  readonly #messages = new Map<ServerHttp2Stream, Buffer>();
  #server: BareServer | null = null;

  get address(): string {
    return this.#server!.address;
  }

  get connections(): number {
    return this.#server!.sessionCount;
  }

  async start(): Promise<this> {
    this.#server = await startBareServer((stream, headers, question) => {
      const method = String(headers[':path']).split('/').at(-1)!;
      if (method === 'ModelInfer') {
        this.#messages.set(stream, question.subarray(5));
        if (!this.onInfer(stream)) this.serve(stream);
      } else if (method === 'ModelReady') answer(stream, [writeReady(true)]);
      else if (method === 'ModelMetadata') {
        const metadata = { name: 'm', versions: [], platform: 'test', inputs: TENSORS, outputs: [{ ...TENSORS[0]!, name: 'y' }] };
        answer(stream, [writeModelMetadata(metadata)]);
      } else answer(stream, [], { 'grpc-status': '12' });
    });
    return this;
  }

  close(): Promise<void> {
    return this.#server!.close();
  }

  /** The id of the request that a stream asks. */
  idOf(stream: ServerHttp2Stream): string {
    return readInferRequest(this.#messages.get(stream)!).id;
  }

  /** Answers a stream that `onInfer` has taken. */
  serve(stream: ServerHttp2Stream): void {
    const { model, version, id, inputs } = readInferRequest(this.#messages.get(stream)!);
    this.done.push(id);
    answer(stream, [
      writeInferResponse(model, version, id, [{ name: 'y', datatype: 'FP32', shape: [1], data: inputs[0]!.data }]),
    ]);
  }
}

const ENGINES = ['own', 'grpc-js'] as const;
const servers = new Map<string, LeavingServer>();
let gateway: GatewayUnderTest;

beforeAll(async () => {
  for (const engine of ENGINES) servers.set(engine, await new LeavingServer().start());
  const models = Object.fromEntries(
    ENGINES.map((engine) => [
      engine,
      { variants: [grpcVariant('v1', 'stable', servers.get(engine)!.address, {}, { engine })], retries: { percent: 100 } },
    ]),
  );
  gateway = await startGateway({ tenants: TENANTS, models });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  for (const server of servers.values()) await server.close();
});

async function ask(model: string, id: string): Promise<number> {
  const answered = await fetch(`${gateway.httpUrl}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.keys['alpha']}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id, inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] }),
  });
  await answered.text();
  return answered.status;
}

describe.each(ENGINES)('a server that leaves, asked over %s', (engine) => {
  const askMany = (prefix: string, count: number): Promise<number[]> =>
    Promise.all(Array.from({ length: count }, (_, i) => ask(engine, `${prefix}-${i}`)));

  // Two at a time: three failures in a row are what takes an endpoint for ill.
  it('has refused streams asked again, and each done once', async () => {
    const server = servers.get(engine)!;
    let refusals = 2;
    server.onInfer = (stream) => {
      if (--refusals < 0) return false;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return true;
    };
    expect(await askMany('refused', 2)).toEqual([200, 200]);
    expect(server.done.filter((id) => id.startsWith('refused')).sort()).toEqual(['refused-0', 'refused-1']);
  });

  it('has the calls above the last of its GOAWAY asked again elsewhere, and those below answered where they are', async () => {
    const server = servers.get(engine)!;
    const before = server.connections;
    const held: ServerHttp2Stream[] = [];
    server.onInfer = (stream) => {
      if (server.connections > before) return false;
      held.push(stream);
      if (held.length < 6) return true;
      const [, , , fourth] = held.map(({ id }) => id!).sort((one, other) => one - other);
      stream.session!.goaway(constants.NGHTTP2_NO_ERROR, fourth);
      for (const one of held) if (one.id! <= fourth!) server.serve(one);
      return true;
    };
    expect(await askMany('left', 6)).toEqual(new Array(6).fill(200));
    const done = server.done.filter((id) => id.startsWith('left'));
    expect([done.length, new Set(done).size]).toEqual([6, 6]);
    expect(server.connections).toBe(before + 1);
  });

  it('may leave between calls without one of them noticing', async () => {
    const server = servers.get(engine)!;
    server.onInfer = () => false;
    for (let i = 0; i < 5; i++) {
      expect(await ask(engine, `between-${i}`)).toBe(200);
      server.onInfer = (stream) => {
        stream.session!.goaway(constants.NGHTTP2_NO_ERROR, stream.id!);
        return false;
      };
    }
    expect(server.done.filter((id) => id.startsWith('between')).length).toBe(5);
  });
});

describe('a server of many calls at once, asked over own', () => {
  const MANY = 20;
  const ids = (prefix: string): string[] => Array.from({ length: MANY }, (_, i) => `${prefix}-${i}`);
  const attempts = (labels: Record<string, string>): Promise<number> =>
    metric(gateway, 'sluice_backend_attempts_total', { model: 'own', ...labels });

  /** Each answered, each done once, and each at the first try. */
  async function askedWell(prefix: string): Promise<void> {
    const [good, all] = [await attempts({ code: 'OK' }), await attempts({})];
    expect(await Promise.all(ids(prefix).map((id) => ask('own', id)))).toEqual(new Array(MANY).fill(200));
    const done = servers.get('own')!.done.filter((id) => id.startsWith(`${prefix}-`));
    expect(done.sort()).toEqual(ids(prefix).sort());
    expect([await attempts({ code: 'OK' }), await attempts({})]).toEqual([good + MANY, all + MANY]);
  }

  it('is no ill endpoint when it refuses each call once: none is told as failed', async () => {
    const server = servers.get('own')!;
    const seen = new Set<string>();
    server.onInfer = (stream) => {
      const id = server.idOf(stream);
      if (seen.has(id)) return false;
      seen.add(id);
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return true;
    };
    await askedWell('crowd');
  });

  it('is no ill endpoint when it leaves many calls unseen: none is told as failed', async () => {
    const server = servers.get('own')!;
    const before = server.connections;
    const held: ServerHttp2Stream[] = [];
    server.onInfer = (stream) => {
      if (server.connections > before) return false;
      held.push(stream);
      if (held.length !== 12) return true;
      const second = held.map(({ id }) => id!).sort((one, other) => one - other)[1]!;
      stream.session!.goaway(constants.NGHTTP2_NO_ERROR, second);
      for (const one of held) if (one.id! <= second) server.serve(one);
      return true;
    };
    await askedWell('unseen');
    expect(server.connections).toBe(before + 1);
  });
});
