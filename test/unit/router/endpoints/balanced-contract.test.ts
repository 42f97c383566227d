import { createServer } from 'node:net';
import { GrpcBackend } from '../../../../src/backends/grpc/grpc-backend.ts';
import { HttpBackend } from '../../../../src/backends/http/http-backend.ts';
import { backend as backendSchema, type GrpcBackendConfig, type HttpBackendConfig } from '../../../../src/config/model-schema.ts';
import type { Backend } from '../../../../src/core/backend.ts';
import { SystemClock } from '../../../../src/core/clock.ts';
import type { EndpointAddress } from '../../../../src/core/endpoints.ts';
import type { InferenceRequest, Prediction } from '../../../../src/core/inference.ts';
import { BalancedBackend } from '../../../../src/router/endpoints/balanced-backend.ts';
import { type BackendFixture, backendContract } from '../../../support/contracts/backend-contract.ts';
import { echo, startOipHttpServer } from '../../../support/oip-http-server.ts';
import { answerEcho, answerStatus, type OipModel, startOipServer } from '../../../support/oip-server.ts';
import { answerJson } from '../../../support/scripted-http-server.ts';
import { seeded } from './endpoint-fakes.ts';

/** The contract of a backend, kept by several endpoints together, over real connections. */

const MODEL: OipModel = {
  name: 'echo',
  inputs: [{ name: 'x', datatype: 'INT32', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'INT32', shape: [-1] }],
};
const INVALID_ARGUMENT = 3;
/** Every name here stands for this address, so that what is dialled is not what is written. */
const LOOKUP = () => Promise.resolve(['127.0.0.1']);

function balanced(kind: 'grpc' | 'http', endpoints: readonly string[]): Backend {
  const config = backendSchema.parse({ kind, endpoints, connectTimeoutMs: 500 }) as GrpcBackendConfig | HttpBackendConfig;
  const clock = new SystemClock();
  const options = { model: 'echo', credential: null, tls: null, clock };
  const make = (endpoint: EndpointAddress): Backend =>
    config.kind === 'grpc'
      ? new GrpcBackend(config, { ...options, endpoint })
      : new HttpBackend(config, { ...options, endpoint });
  const names = endpoints.map((name) => ({ name, host: 'test.invalid' }));
  const rest = { patienceMs: 0, lie: () => '', lookup: LOOKUP, clock, random: seeded(), onEvent: () => undefined };
  return new BalancedBackend({ kind, names, settings: config, make, ...rest });
}

function requestOf(numbers: readonly number[]): InferenceRequest {
  const data = Buffer.from(Int32Array.from(numbers).buffer);
  const inputs = [{ name: 'x', datatype: 'INT32' as const, shape: [numbers.length], data }];
  const names = { model: 'public', version: '', id: '', sequenceId: '' };
  return { task: 'predict', ...names, params: new Map(), inputs, wanted: [], timeoutUs: 0 };
}

const shared = {
  request: (n: number) => requestOf([n, n + 1]),
  mistake: (n: number, { outputs }: Prediction) => {
    const found = Buffer.from(outputs[0]!.data);
    return found.readInt32LE(0) === n && found.readInt32LE(4) === n + 1 ? '' : `found ${found.toString('hex')} for ${n}`;
  },
  misfit: (): InferenceRequest => ({
    ...requestOf([1]),
    inputs: [{ name: 'other', datatype: 'INT32', shape: [1], data: Buffer.alloc(4) }],
  }),
};

/** A port that nobody listens on. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

backendContract('BalancedBackend over gRPC', async (): Promise<BackendFixture> => {
  const begin = () =>
    startOipServer({
      models: [MODEL],
      onInfer: (call, model) => (call.inputs[0]?.name === 'x' ? answerEcho(call, model) : answerStatus(INVALID_ARGUMENT)),
    });
  const servers = [await begin(), await begin()];
  const lost = await deadPort();
  return {
    ...shared,
    backend: balanced(
      'grpc',
      servers.map(({ port }) => `test.invalid:${port}`),
    ),
    lost: () => balanced('grpc', [`test.invalid:${lost}`]),
    dispose: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
});

backendContract('BalancedBackend over HTTP', async (): Promise<BackendFixture> => {
  const begin = () =>
    startOipHttpServer({
      models: [MODEL],
      onInfer: (call, model) => (call.inputs[0]?.name === 'x' ? echo(call, model) : answerJson({ error: 'expected x' }, 400)),
    });
  const servers = [await begin(), await begin()];
  const lost = await deadPort();
  return {
    ...shared,
    backend: balanced(
      'http',
      servers.map(({ port }) => `http://test.invalid:${port}`),
    ),
    lost: () => balanced('http', [`http://test.invalid:${lost}`]),
    dispose: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
});
