import { afterEach, describe, expect, it } from 'vitest';
import { GrpcBackend } from '../../../src/backends/grpc/grpc-backend.ts';
import { type GrpcBackendConfig, grpcBackend } from '../../../src/config/model-schema.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { Fault, GatewayError } from '../../../src/core/faults.ts';
import type { GrpcChannelTls } from '../../../src/wire/grpc/grpc-channel.ts';
import { type OipModel, type OipServerOptions, startOipServer } from '../../support/oip-server.ts';
import { AUTHORITY, CLIENT_PAIR, EXPIRED_SERVER_PAIR, OTHER_AUTHORITY, SERVER_PAIR } from '../../support/test-authority.ts';

const MODEL: OipModel = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'INT32', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'INT32', shape: [-1] }],
};

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Scene {
  readonly server?: NonNullable<OipServerOptions['tls']>;
  readonly tls?: Partial<GrpcChannelTls>;
}

describe.each(['grpc-js', 'own'] as const)('a gRPC backend on %s over TLS', (engine) => {
  async function backend({ server = SERVER_PAIR, tls = {} }: Scene): Promise<GrpcBackend> {
    const oip = await startOipServer({ models: [MODEL], tls: server });
    closers.push(() => oip.close());
    const name = `localhost:${oip.port}`;
    const config = grpcBackend.parse({ kind: 'grpc', endpoints: [name], engine }) satisfies GrpcBackendConfig;
    const made = new GrpcBackend(config, {
      endpoint: { name, ip: '127.0.0.1' },
      model: 'm',
      credential: null,
      tls: { ca: AUTHORITY, cert: null, key: null, serverName: null, ...tls },
      clock: new SystemClock(),
    });
    closers.push(() => made.close());
    return made;
  }

  it('is warm where each side takes the certificate of the other', async () => {
    const asking = { ...SERVER_PAIR, clientCa: AUTHORITY };
    expect((await (await backend({ server: asking, tls: CLIENT_PAIR })).warm()).outputs.length).toBe(1);
  });

  it.each<[string, Scene, RegExp]>([
    ['another authority', { tls: { ca: OTHER_AUTHORITY } }, /verify|authority/],
    ['another name', { tls: { serverName: 'other.test' } }, /other\.test/],
    ['a certificate that has expired', { server: EXPIRED_SERVER_PAIR }, /expired/],
    ['a wish for a client certificate', { server: { ...SERVER_PAIR, clientCa: AUTHORITY } }, /certificate/],
  ])('says what is wrong with a server of %s', async (_what, scene, words) => {
    const error = await (await backend(scene)).warm().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).kind).toBe(Fault.BackendUnreachable);
    expect((error as GatewayError).message).toMatch(words);
  });
});
