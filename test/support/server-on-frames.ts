import { grpcListen } from '../../src/config/listen-schema.ts';
import type { GrpcAcceptors } from '../../src/wire/grpc/grpc-server.ts';
import type { StreamExchange, StreamOwner } from '../../src/wire/grpc/stream-exchange.ts';
import type { ExchangeOwner, UnaryExchange } from '../../src/wire/grpc/unary-exchange.ts';
import { PREFACE } from '../../src/wire/http2/frames/frame-format.ts';
import { FrameReader } from '../../src/wire/http2/frames/frame-reader.ts';
import { HpackDecoder } from '../../src/wire/http2/hpack/decoder.ts';
import { encodeFields } from '../../src/wire/http2/hpack/encoder.ts';
import { ServerConnection, type ServerWire } from '../../src/wire/http2/server/server-connection.ts';
import { type H2ServerLimits, serverRules } from '../../src/wire/http2/server/server-limits.ts';
import { FakeAlarms } from './fake-alarms.ts';
import { FakeClock } from './fake-clock.ts';
import { FrameLog, frame } from './frame-log.ts';
import { say } from './scripted-h2-server.ts';

/** A connection of the server between bytes and bytes, without a socket: what it says is written down frame for frame. */

export const UNARY_PATH = '/test.Service/Unary';
export const STREAM_PATH = '/test.Service/Stream';

const DEFAULT_LIMITS = grpcListen.parse({}).http2;

/** What a call has told its owner, in words. */
export interface SeenCall {
  readonly path: string;
  readonly exchange: UnaryExchange | StreamExchange;
  readonly events: string[];
}

export class ServerOnFrames implements ServerWire {
  readonly remoteAddress = '192.0.2.1';
  readonly clock = new FakeClock();
  readonly log = new FrameLog();
  readonly calls: SeenCall[] = [];
  /** Fields of each header block, in the order of their `headers` lines. */
  readonly fields: Map<string, string>[] = [];
  readonly connection: ServerConnection;
  /** As many bytes as the socket is said to owe. */
  writableLength = 0;
  destroyed = false;
  ended = false;
  paused = false;
  /** Answer each call at once with what it asks. */
  echoes = true;
  readonly alarms = new FakeAlarms(this.clock);
  readonly #reader: FrameReader;

  constructor(
    limits: Partial<H2ServerLimits> = {},
    { maxConcurrentStreams = 100, maxMetadataBytes = 8_192, writeStallMs = 1_000 } = {},
  ) {
    const http2 = { ...DEFAULT_LIMITS, ...limits };
    const hpack = new HpackDecoder({ tableBytes: 4_096, maxFields: 128, maxListBytes: 65_536 });
    this.log.onHeaders = (streamId, endStream, block, from, to) => {
      if (!hpack.decode(block, from, to)) throw new Error(hpack.problem);
      const { count, names, values } = hpack.fields;
      this.fields.push(new Map(Array.from({ length: count }, (_, i) => [names[i]!, values[i]!])));
      this.log.lines.push(`headers ${streamId} ${[...this.fields.at(-1)!].flat().join(' ')} end=${endStream}`);
      return 0;
    };
    this.#reader = new FrameReader(this.log, { maxFrameBytes: 16_777_215, maxBlockBytes: 1_000_000, maxContinuations: 100 });
    const timing = { clock: this.clock, setAlarm: this.alarms.set, random: () => 0.5 };
    const times = { keepAliveTimeMs: 60_000, keepAliveTimeoutMs: 20_000, maxConnectionIdleMs: 300_000, writeStallMs };
    const rules = serverRules(http2, maxConcurrentStreams, maxMetadataBytes);
    this.connection = new ServerConnection(
      { rules, acceptors: this.#acceptors(), timing, times, maxMessageBytes: 1_000_000 },
      this,
    );
  }

  /** The client's preface and its SETTINGS, and the frames behind them. */
  greet(...settings: number[]): this {
    return this.send(PREFACE, say.settings(...settings));
  }

  /** One piece of bytes, and the end of the turn that brought it. */
  send(...frames: readonly Uint8Array[]): this {
    this.feed(Buffer.concat(frames));
    return this.turn();
  }

  feed(bytes: Buffer): void {
    if (!this.destroyed) this.connection.read(bytes, this.clock.nowMs());
  }

  turn(): this {
    this.connection.output.flush();
    return this;
  }

  /** Time goes by, and the connection is looked at. */
  wait(ms: number): this {
    this.alarms.advance(ms);
    this.connection.look(this.clock.nowMs());
    return this.turn();
  }

  lines(beginning: string): string[] {
    return this.log.lines.filter((line) => line.startsWith(beginning));
  }

  /** Code and words of the GOAWAY that ended it. */
  get farewell(): string {
    const last = this.lines('goaway').at(-1);
    if (last === undefined) return '';
    const [, , code, debug] = last.split(' ');
    return `${code} ${Buffer.from(debug ?? '', 'hex').toString()}`.trim();
  }

  write(bytes: Uint8Array): boolean {
    const copy = Buffer.from(bytes);
    if (this.#reader.read(copy, 0, copy.length) !== 0) throw new Error(`The server broke a rule: ${this.#reader.problem}`);
    return true;
  }

  cork(): void {}
  uncork(): void {}

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  #acceptors(): GrpcAcceptors {
    return {
      unary: (exchange) => this.#unary(exchange),
      stream: (exchange) => this.#stream(exchange),
      streams: new Set([STREAM_PATH]),
    };
  }

  #unary(exchange: UnaryExchange): ExchangeOwner {
    const events: string[] = [];
    this.calls.push({ path: exchange.path, exchange, events });
    exchange.read();
    return {
      received: (message) => {
        events.push(`received ${message.length}`);
        if (this.echoes) exchange.answer([], [message]);
      },
      spoiled: (status, text) => {
        events.push(`spoiled ${status} ${text}`);
        exchange.refuse(3, text, []);
      },
      left: () => events.push('left'),
      closed: () => events.push('closed'),
    };
  }

  #stream(exchange: StreamExchange): StreamOwner {
    const events: string[] = [];
    this.calls.push({ path: exchange.path, exchange, events });
    exchange.open();
    exchange.read();
    return {
      received: (message) => {
        events.push(`received ${message.length}`);
        if (this.echoes) exchange.write([message], () => events.push('written'));
        exchange.read();
      },
      arriving: () => undefined,
      finished: () => {
        events.push('finished');
        exchange.end(0, '', []);
      },
      spoiled: (status, text) => events.push(`spoiled ${status} ${text}`),
      left: () => events.push('left'),
      closed: () => events.push('closed'),
    };
  }
}

/** Frames as a client sends them. */
export const ask = {
  fields: (path = UNARY_PATH, more: readonly string[] = []): string[] => [
    ':method',
    'POST',
    ':scheme',
    'http',
    ':path',
    path,
    ':authority',
    'test',
    'content-type',
    'application/grpc',
    'te',
    'trailers',
    ...more,
  ],
  head: (streamId: number, path = UNARY_PATH, more: readonly string[] = []): Buffer =>
    frame(1, 4, streamId, encodeFields(ask.fields(path, more))),
  /** The bytes of a message with its head. */
  message: (message: string | Uint8Array): Buffer => {
    const bytes = Buffer.from(message as string);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  },
  data: (streamId: number, bytes: Uint8Array, endStream: boolean): Buffer => frame(0, endStream ? 1 : 0, streamId, bytes),
  call: (streamId: number, message: string | Uint8Array = 'x', path = UNARY_PATH): Buffer =>
    Buffer.concat([ask.head(streamId, path), ask.data(streamId, ask.message(message), true)]),
};
