import { afterEach, describe, expect, it } from 'vitest';
import { GrpcStatus } from '../../../src/core/grpc-status.ts';
import { GrpcChannel, type GrpcChannelTls } from '../../../src/wire/grpc/grpc-channel.ts';
import type { UnarySink } from '../../../src/wire/grpc/waiting-call.ts';
import { type OipServer, startOipServer } from '../../support/oip-server.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../../support/test-certificate.ts';

const LIVE = '/inference.GRPCInferenceService/ServerLive';
const OPTIONS = { headers: [], timeoutMs: 10_000 };

class Ending implements UnarySink {
  readonly ended: Promise<Ending>;
  ends = 0;
  message: Buffer | null = null;
  status = -1;
  details = '';
  sent: boolean | null = null;
  #end: (self: Ending) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  onAnswer(message: Buffer): void {
    this.ends++;
    this.message = message;
    this.#end(this);
  }

  onStatus(status: number, details: string, sent: boolean): void {
    this.ends++;
    this.status = status;
    this.details = details;
    this.sent = sent;
    this.#end(this);
  }
}

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(secure = false): Promise<OipServer> {
  const tls = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY };
  const server = await startOipServer(secure ? { models: [], tls } : { models: [] });
  closers.push(() => server.close());
  return server;
}

function channelTo(address: string, tls: GrpcChannelTls | null = null, ip = ''): GrpcChannel {
  const channel = new GrpcChannel({ address, ip, tls, maxMessageBytes: 1_024, connectTimeoutMs: 2_000 });
  closers.push(() => channel.close());
  return channel;
}

function ask(channel: GrpcChannel, path = LIVE): Promise<Ending> {
  const ending = new Ending();
  channel.unary(path, Buffer.alloc(0), OPTIONS, ending);
  expect(ending.ends, 'nothing is said from inside').toBe(0);
  return ending.ended;
}

describe('GrpcChannel', () => {
  it('answers with the message as it came', async () => {
    const { address } = await serve();
    expect((await ask(channelTo(address))).message).toEqual(Buffer.from('0801', 'hex'));
  });

  it('tells a status from a message', async () => {
    const { address } = await serve();
    const { message, status, details, sent } = await ask(channelTo(address), '/no.such/Method');
    expect([message, status, sent]).toEqual([null, GrpcStatus.Unimplemented, true]);
    expect(details).toContain('/no.such/Method');
  });

  it('says when it is ready, and when it is not in time', async () => {
    const server = await serve();
    const channel = channelTo(server.address);
    expect(await channel.ready(5_000)).toBe(true);
    await server.close();
    const lost = channelTo(server.address);
    expect(await lost.ready(50)).toBe(false);
  });

  it('ends a call on a closed channel as unavailable and unsent', async () => {
    const { address } = await serve();
    const channel = channelTo(address);
    channel.close();
    channel.close();
    const { status, sent } = await ask(channel);
    expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
    expect(await channel.ready(5_000)).toBe(false);
  });

  it('hears of a cancelled call once, however often it is cancelled', async () => {
    const { address } = await serve();
    const ending = new Ending();
    const call = channelTo(address).unary(LIVE, Buffer.alloc(0), OPTIONS, ending);
    call.cancel();
    call.cancel();
    await ending.ended;
    call.cancel();
    await ask(channelTo(address));
    expect([ending.ends, ending.status]).toEqual([1, GrpcStatus.Cancelled]);
  });
});

describe('GrpcChannel over TLS', () => {
  const trusting = { ca: TEST_CERTIFICATE, cert: null, key: null };

  it('takes a server whose certificate has the configured name', async () => {
    const { address } = await serve(true);
    const { message } = await ask(channelTo(address, { ...trusting, serverName: 'sluice.test' }));
    expect(message).not.toBeNull();
  });

  it('connects to an address that its name stands for, and checks the certificate against the name', async () => {
    const { port } = await serve(true);
    const named = { ...trusting, serverName: null };
    expect((await ask(channelTo(`sluice.test:${port}`, named, '127.0.0.1'))).message).not.toBeNull();
    // The certificate has the address too, and that must not do.
    expect((await ask(channelTo(`other.test:${port}`, named, '127.0.0.1'))).status).toBe(GrpcStatus.Unavailable);
  });

  it('takes the host for the name where none is configured', async () => {
    const { port } = await serve(true);
    const { message } = await ask(channelTo(`localhost:${port}`, { ...trusting, serverName: null }));
    expect(message).not.toBeNull();
  });

  it.each([
    ['another name', { ...trusting, serverName: 'other.test' }],
    ['an authority that is not trusted', { ca: null, cert: null, key: null, serverName: 'sluice.test' }],
  ])('does not send a byte to a server with %s', async (_what, tls) => {
    const { address } = await serve(true);
    const { status, sent } = await ask(channelTo(address, tls));
    expect([status, sent]).toEqual([GrpcStatus.Unavailable, false]);
  });
});
