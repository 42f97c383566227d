import { afterEach, expect } from 'vitest';
import { http2Backend } from '../../src/config/http2-schema.ts';
import type { GrpcChannel, Question } from '../../src/wire/grpc/grpc-channel.ts';
import type { UnaryCall } from '../../src/wire/grpc/waiting-call.ts';
import type { H2ClientLimits } from '../../src/wire/http2/client/client-limits.ts';
import { H2Channel } from '../../src/wire/http2/client/h2-channel.ts';
import { Ending } from './call-endings.ts';
import { FakeAlarms } from './fake-alarms.ts';
import { FakeClock } from './fake-clock.ts';
import { type ScriptedPeer, type ScriptedServer, say, startScriptedServer } from './scripted-h2-server.ts';

/** A channel of our own engine and a server that does what a test wants, in a world where time stands still. */

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export interface WorldOptions extends Partial<H2ClientLimits> {
  readonly maxMessageBytes?: number;
  readonly firstStreamId?: number;
}

export class ChannelWorld {
  readonly clock = new FakeClock();
  readonly alarms = new FakeAlarms(this.clock);
  readonly server: ScriptedServer;
  readonly channel: GrpcChannel;

  constructor(server: ScriptedServer, { maxMessageBytes = 1_000_000, firstStreamId = 1, ...limits }: WorldOptions) {
    this.server = server;
    const timing = { clock: this.clock, setAlarm: this.alarms.set, random: () => 0.5 };
    const http2 = { ...http2Backend.parse({}), ...limits };
    const options = { address: server.address, ip: '', tls: null, maxMessageBytes, connectTimeoutMs: 1_000, http2 };
    this.channel = new H2Channel(options, timing, firstStreamId);
    closers.push(() => this.channel.close());
  }

  /** A connection that stands. */
  async connected(...settings: number[]): Promise<ScriptedPeer> {
    const ready = this.channel.ready(10_000);
    const peer = await this.server.next();
    peer.send(say.settings(...settings));
    expect(await ready).toBe(true);
    return peer;
  }

  ask(question: Question = Buffer.from('?'), timeoutMs = 60_000): Ending & { call: UnaryCall } {
    const ending = new Ending() as Ending & { call: UnaryCall };
    ending.call = this.channel.unary('/a/b', question, { headers: [], timeoutMs }, ending);
    expect(ending.ends).toBe(0);
    return ending;
  }
}

export async function world(options: WorldOptions = {}): Promise<ChannelWorld> {
  const server = await startScriptedServer();
  closers.push(() => server.close());
  return new ChannelWorld(server, options);
}

/** How a call ended: its status, and whether the server may have heard of it. */
export const over = async (ending: Ending): Promise<[number, boolean | null]> => {
  await ending.ended;
  return [ending.status, ending.sent];
};

export const textOf = async (ending: Ending): Promise<string | undefined> => (await ending.ended).message?.toString();
