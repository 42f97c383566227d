import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { type GatewayUnderTest, startGateway } from '../support/gateway-under-test.ts';
import { type OipCall, type OipServer, startOipServer } from '../support/oip-server.ts';

const X = { name: 'x', datatype: 'FP32', shape: [1, 1] };
const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 1] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 1] }],
};
const SECRET = 'one secret that all the replicas share';

let dir: string;
let stable: OipServer;
let canary: OipServer;
let replicas: GatewayUnderTest[];
let lone: GatewayUnderTest;
const callers: GrpcCaller[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-sequences-'));
  const file = join(dir, 'secret');
  writeFileSync(file, SECRET, { mode: 0o600 });
  stable = await startOipServer({ models: [MODEL] });
  canary = await startOipServer({ models: [MODEL] });
  const variants = [
    grpcVariant('v1', 'stable', stable.address, {}, { model: 'm' }),
    grpcVariant('v2', 'canary', canary.address, { weight: 50 }, { model: 'm' }),
  ];
  const cached = { cache: { ttlMs: 600_000 }, variants };
  const config = { tenants: TENANTS, models: { m: cached, other: cached } };
  const shared = { ...config, sequences: { secret: { file } } };
  replicas = await Promise.all([startGateway(shared), startGateway(shared)]);
  lone = await startGateway(config);
});

afterAll(async () => {
  for (const caller of callers) caller.close();
  for (const gateway of [...replicas, lone]) expect(await gateway.stop()).toBe(0);
  await Promise.all([stable.close(), canary.close()]);
  rmSync(dir, { recursive: true, force: true });
});

interface Question {
  readonly gateway?: GatewayUnderTest;
  readonly tenant?: string;
  readonly model?: string;
  readonly sequence: string | number;
  readonly flags?: Readonly<Record<string, boolean>>;
}

interface Seen {
  readonly variant: string | null;
  readonly cache: string | null;
  /** What the backend got. */
  readonly call: OipCall;
}

/** The newest call of the two backends that `act` made. */
async function seenBy(act: () => Promise<{ variant: string | null; cache: string | null }>): Promise<Seen> {
  const before = [stable.callCount, canary.callCount];
  const { variant, cache } = await act();
  const server = variant === 'v1' ? stable : canary;
  expect([stable.callCount - before[0]!, canary.callCount - before[1]!]).toEqual(variant === 'v1' ? [1, 0] : [0, 1]);
  return { variant, cache, call: server.calls.at(-1)! };
}

function byRest(question: Question): Promise<Seen> {
  const { gateway = replicas[0]!, tenant = 'alpha', model = 'm', sequence, flags = {} } = question;
  return seenBy(async () => {
    const parameters = { sequence_id: sequence, ...flags };
    const inputs = [{ ...X, data: [1] }];
    const { status, headers, body } = await inferRest(gateway, { key: gateway.keys[tenant]!, model, inputs, parameters });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(JSON.stringify(body)).not.toContain('sequence');
    return { variant: headers.get('x-sluice-variant'), cache: headers.get('x-sluice-cache') };
  });
}

function byGrpc(question: Question): Promise<Seen> {
  const { gateway = replicas[0]!, tenant = 'alpha', model = 'm', sequence } = question;
  const grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys[tenant]!);
  callers.push(grpc);
  return seenBy(async () => {
    const sequence_id = typeof sequence === 'string' ? { string_param: sequence } : { int64_param: sequence };
    const answer = await grpc.infer(model, [{ ...X, raw: Buffer.alloc(4) }], { parameters: { sequence_id } });
    expect(answer.code, answer.details).toBe(0);
    return {
      variant: String(answer.metadata.get('x-sluice-variant')[0]),
      cache: String(answer.metadata.get('x-sluice-cache')[0]),
    };
  });
}

const sentId = ({ call }: Seen): unknown => call.parameters['sequence_id'];

describe('a sequence', () => {
  it('keeps its variant and its id from step to step, over both faces and on every replica', async () => {
    const variants = new Set<string | null>();
    for (let i = 0; i < 12; i++) {
      const sequence = `talk-${i}`;
      const steps = [
        await byRest({ sequence, flags: { sequence_start: true } }),
        await byGrpc({ sequence }),
        await byRest({ sequence, gateway: replicas[1]! }),
        await byGrpc({ sequence, gateway: replicas[1]! }),
        await byRest({ sequence, flags: { sequence_end: true } }),
      ];
      expect(new Set(steps.map((step) => step.variant)).size).toBe(1);
      expect(new Set(steps.map(sentId)).size).toBe(1);
      variants.add(steps[0]!.variant);
    }
    expect([...variants].sort()).toEqual(['v1', 'v2']);
  });

  it('reaches its backend with its flags, under a name that its caller did not choose', async () => {
    const seen = await byRest({ sequence: 'mine', flags: { sequence_start: true, sequence_end: false } });
    expect(seen.call.parameters).toMatchObject({ sequence_start: true, sequence_end: false });
    expect(sentId(seen)).toMatch(/^[\w-]{43}$/);
  });

  it('is never joined by another tenant, nor through another model, whatever id they send', async () => {
    const own = await byRest({ sequence: 'mine' });
    const others = [
      await byRest({ sequence: 'mine', tenant: 'beta' }),
      await byGrpc({ sequence: 'mine', tenant: 'beta' }),
      await byRest({ sequence: 'mine', model: 'other' }),
      // What one backend has seen and told a caller is no way in either.
      await byRest({ sequence: String(sentId(own)), tenant: 'beta' }),
      await byRest({ sequence: 'alpha/m/s/mine', tenant: 'beta' }),
    ];
    for (const other of others) expect(sentId(other)).not.toBe(sentId(own));
    expect(sentId(others[0]!)).toBe(sentId(others[1]!));
  });

  it('stays a number where its caller sent one, also beyond 2^53, and differs from the same digits as a text', async () => {
    const ids = [7, 2 ** 53 + 2].flatMap((sequence) => [
      { sequence, tenant: 'alpha' },
      { sequence, tenant: 'beta' },
    ]);
    const sent: unknown[] = [];
    for (const id of ids) {
      const seen = await byRest(id);
      expect(sentId(await byGrpc(id))).toBe(sentId(seen));
      expect(sentId(seen)).toBeGreaterThan(0);
      sent.push(sentId(seen));
    }
    expect(new Set(sent).size).toBe(ids.length);
    expect(typeof sentId(await byRest({ sequence: '7' }))).toBe('string');
  });

  it('is never answered from the cache', async () => {
    for (let i = 0; i < 2; i++) expect((await byRest({ sequence: 'again' })).cache).toBe('bypass');
  });

  it('has no meaning in another process without the secret, but the same variant', async () => {
    const [here, there] = [await byRest({ sequence: 'mine' }), await byRest({ sequence: 'mine', gateway: lone })];
    expect(sentId(there)).not.toBe(sentId(here));
    expect(there.variant).toBe(here.variant);
  });

  it('is none when the id is 0 or empty', async () => {
    for (const sequence of [0, '']) {
      const parameters = { sequence_id: sequence };
      const gateway = replicas[0]!;
      const inputs = [{ ...X, data: [sequence === 0 ? 5 : 6] }];
      const answer = await inferRest(gateway, { key: gateway.keys['alpha']!, model: 'm', inputs, parameters });
      expect(answer.headers.get('x-sluice-cache')).toBe('miss');
      const server = answer.headers.get('x-sluice-variant') === 'v1' ? stable : canary;
      expect(server.calls.at(-1)!.parameters).toEqual({});
    }
  });
});
