import { expect } from 'vitest';
import { type GrpcAnswer, GrpcCaller, rawOutputs } from '../../support/clients.ts';
import { grpcVariant, TENANTS } from '../../support/configs.ts';
import { eventually, type GatewayUnderTest, startGateway } from '../../support/gateway-under-test.ts';
import type { PeerServer } from './peer-process.ts';
import type { RawInput } from './tensors.ts';

/** A server of a peer behind a gateway, every model of it twice: by gRPC under its own name, and by REST with `-rest` behind it. */
export interface BehindGateway {
  readonly gateway: GatewayUnderTest;
  /** By tenant. */
  readonly callers: Readonly<Record<string, GrpcCaller>>;
  /** Asks the server itself. */
  readonly direct: GrpcCaller;
  stop(): Promise<void>;
}

/** How a variant reaches the server, and what its models' names end in. */
export const WAYS = [
  ['gRPC', ''],
  ['REST', '-rest'],
] as const;

export async function putBehindGateway(server: PeerServer, models: readonly string[]): Promise<BehindGateway> {
  const entries = models.flatMap((model) => [
    [model, { variants: [grpcVariant('v1', 'stable', server.grpcAddress)] }],
    [
      `${model}-rest`,
      { variants: [{ name: 'v1', role: 'stable', backend: { kind: 'http', endpoints: [server.httpUrl], model } }] },
    ],
  ]);
  const gateway = await startGateway({ tenants: TENANTS, models: Object.fromEntries(entries) });
  const callers = Object.fromEntries(
    Object.entries(gateway.keys).map(([tenant, key]) => [tenant, new GrpcCaller(gateway.grpcAddress, key)]),
  );
  const direct = new GrpcCaller(server.grpcAddress, '');
  await eventually('all models are ready', async () => {
    const questions = entries.map(([name]) => callers['alpha']!.call('ModelReady', { name }));
    return (await Promise.all(questions)).every((answer) => answer.message['ready'] === true);
  });
  return {
    gateway,
    callers,
    direct,
    stop: async () => {
      for (const caller of [...Object.values(callers), direct]) caller.close();
      await gateway.stop();
    },
  };
}

/** The outputs' bytes by name; fails the test with the status where there are none. */
export function outputsOf(answer: GrpcAnswer): Record<string, Buffer> {
  expect(answer.code, answer.details).toBe(0);
  return rawOutputs(answer);
}

/** Expects through the gateway what the server answers when it is asked directly; names of outputs may be asked for. */
export async function expectSame(
  behind: BehindGateway,
  model: string,
  inputs: readonly RawInput[],
  wanted: readonly string[] = [],
): Promise<void> {
  const more = { id: 'mine', outputs: wanted.map((name) => ({ name })) };
  const expected = await behind.direct.infer(model.replace(/-rest$/, ''), inputs, more);
  const answer = await behind.callers['alpha']!.infer(model, inputs, more);
  expect(outputsOf(answer)).toEqual(outputsOf(expected));
  expect(heads(answer)).toEqual(heads(expected));
  expect(answer.message['id']).toBe('mine');
}

/** Name, datatype and shape of each output. */
function heads(answer: GrpcAnswer): unknown[] {
  const outputs = answer.message['outputs'] as { name: string; datatype: string; shape: number[] }[];
  return outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }));
}

/** Kills the server and starts it again; what callers see meanwhile and after. */
export async function expectDeathAndReturn(
  behind: BehindGateway,
  server: PeerServer,
  model: string,
  inputs: readonly RawInput[],
): Promise<void> {
  const caller = behind.callers['alpha']!;
  for (const suffix of ['', '-rest']) expect((await caller.infer(model + suffix, inputs)).code).toBe(0);
  await server.kill();
  for (const suffix of ['', '-rest']) {
    const startedMs = performance.now();
    const answer = await caller.infer(model + suffix, inputs);
    expect(answer.code, answer.details).toBe(UNAVAILABLE);
    expect(performance.now() - startedMs).toBeLessThan(NOTICED_MS);
  }
  await server.restart();
  for (const suffix of ['', '-rest']) {
    await eventually(`${model}${suffix} answers again`, async () => (await caller.infer(model + suffix, inputs)).code === 0);
    await expectSame(behind, model + suffix, inputs);
  }
}

const UNAVAILABLE = 14;
/** Well before the deadline of the request, which is five seconds. */
const NOTICED_MS = 3_000;
