import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inferRest } from '../support/clients.ts';
import { grpcVariant, onnxVariant, TENANTS } from '../support/configs.ts';
import { type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import {
  HOSTILE_MODELS,
  type HostileMessage,
  type HostilePost,
  hostileMessages,
  hostileModelConfigs,
  hostilePosts,
} from '../support/hostile-mix.ts';
import { type OipServer, startOipServer } from '../support/oip-server.ts';
import { rawPost } from '../support/raw-post.ts';

/** No body holds up the others: the worst of all kinds, several at a time, while someone else asks small questions. */

const MIB = 1_048_576;
const SENDERS = 3;
/** The event loop is kept from others by at most this, in 99 of 100 looks at it. Measured: 2 to 4 ms. */
const P99_MS = 20;
/** Once, garbage collection included. Measured: 15 to 25 ms; a body read in place took up to 1,300. */
const WORST_MS = 125;
/** On the wall all of this shares two cores with the gateway, so its figures are no more than bounds. Measured: 50 to 100 ms. */
const WALL_P99_MS = 500;

const PROBE = pathToFileURL(join(import.meta.dirname, '../support/loop-probe.ts')).href;
const PROBE_FILE = join(tmpdir(), `sluice-loop-${process.pid}.json`);

let backend: OipServer;
let gateway: GatewayUnderTest;

beforeAll(async () => {
  backend = await startOipServer({ models: HOSTILE_MODELS });
  const remote = [grpcVariant('v1', 'stable', backend.address, {}, { maxMessageBytes: 64 * MIB })];
  const config = {
    limits: { maxInFlightBytes: 1_024 * MIB },
    tenants: TENANTS.map((tenant) => ({ ...tenant, maxInFlightBytes: 1_024 * MIB })),
    models: { digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] }, ...hostileModelConfigs(remote) },
  };
  gateway = await startGateway(config, { NODE_OPTIONS: `--import=${PROBE}`, LOOP_PROBE_FILE: PROBE_FILE });
});

afterAll(async () => {
  await backend.close();
  rmSync(PROBE_FILE, { force: true });
});

const IMAGE = [{ name: 'image', datatype: 'FP32', shape: [1, 28, 28], data: new Array<number>(784).fill(0) }];

async function honestMs(): Promise<number> {
  const startedMs = performance.now();
  const answer = await inferRest(gateway, { key: gateway.keys['beta']!, model: 'digits', inputs: IMAGE });
  expect(answer.status).toBe(200);
  return performance.now() - startedMs;
}

function send(client: Client, { body }: HostileMessage): Promise<number> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${gateway.keys['alpha']!}`);
  const same = (bytes: Buffer): Buffer => bytes;
  const path = '/inference.GRPCInferenceService/ModelInfer';
  return new Promise((done) => {
    client.makeUnaryRequest(path, same, same, body, metadata, (error) => done(error?.code ?? 0));
  });
}

async function post({ path, headers, body }: HostilePost): Promise<number> {
  return (await rawPost(gateway, { path, headers, body, key: gateway.keys['alpha']! })).status;
}

/** Sends all of them, and answers with what came back for each. */
async function attack(): Promise<Map<string, number>> {
  const posts = hostilePosts();
  const messages = hostileMessages();
  const client = new Client(gateway.grpcAddress, credentials.createInsecure());
  const found = new Map<string, number>();
  const sender = async (first: number): Promise<void> => {
    for (let i = first; i < posts.length; i += SENDERS) found.set(posts[i]!.name, await post(posts[i]!));
    for (let i = first; i < messages.length; i += SENDERS) found.set(messages[i]!.name, await send(client, messages[i]!));
  };
  await Promise.all(Array.from({ length: SENDERS }, (_, first) => sender(first)));
  client.close();
  return found;
}

const quantile = (sorted: readonly number[], part: number): number => sorted[Math.floor((sorted.length - 1) * part)]!;

describe('the event loop', () => {
  it('is held up by no body, whatever its kind', { timeout: 180_000 }, async () => {
    for (let i = 0; i < 20; i++) await honestMs();
    await metric(gateway, 'sluice_event_loop_delay_seconds');
    gateway.process.kill('SIGUSR2');
    let isOver = false;
    const latencies: number[] = [];
    const honest = async (): Promise<void> => {
      for (; !isOver; await pause(10)) latencies.push(await honestMs());
    };
    const asking = honest();
    const found = await attack();
    isOver = true;
    await asking;
    const wallMs = 1_000 * (await metric(gateway, 'sluice_event_loop_delay_seconds'));
    expect(await gateway.stop()).toBe(0);
    const busyMs = (JSON.parse(readFileSync(PROBE_FILE, 'utf8')) as number[]).sort((a, b) => a - b);
    latencies.sort((a, b) => a - b);
    const figures = { p99: quantile(busyMs, 0.99), worst: quantile(busyMs, 1), wallMs, honest: quantile(latencies, 0.99) };
    // For whoever wants to see more than that they are within bounds.
    if (process.env['SHOW_FIGURES'] !== undefined) process.stdout.write(`${JSON.stringify(figures)}\n`);
    expect(figures.p99).toBeLessThan(P99_MS);
    expect(figures.worst).toBeLessThan(WORST_MS);
    expect(figures.wallMs).toBeLessThan(WALL_P99_MS);
    expect(figures.honest).toBeLessThan(WALL_P99_MS);
    // Nothing was lost, and nothing broke.
    expect([...found].filter(([, status]) => status === 500 || status === 13)).toEqual([]);
  });
});
