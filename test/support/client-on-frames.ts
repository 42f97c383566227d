import { http2Backend } from '../../src/config/http2-schema.ts';
import type { Timing } from '../../src/core/timing.ts';
import { isCarried } from '../../src/wire/grpc/metadata-names.ts';
import { CallHeads } from '../../src/wire/http2/client/call-heads.ts';
import { ClientConnection, type ConnectionOwner, type Wire } from '../../src/wire/http2/client/client-connection.ts';
import { clientRules } from '../../src/wire/http2/client/client-limits.ts';
import type { CallHome, H2Call } from '../../src/wire/http2/client/h2-call.ts';
import { StreamedH2Call } from '../../src/wire/http2/client/streamed-h2-call.ts';
import { UnaryH2Call } from '../../src/wire/http2/client/unary-h2-call.ts';
import { PREFACE } from '../../src/wire/http2/frames/frame-format.ts';
import { FrameReader } from '../../src/wire/http2/frames/frame-reader.ts';
import { FakeAlarms } from './fake-alarms.ts';
import { FakeClock } from './fake-clock.ts';
import { FrameLog } from './frame-log.ts';

const LIMITS = http2Backend.parse({});
const RULES = clientRules(LIMITS, 1);
const HEADS = new CallHeads({ authority: 'test', secure: false, isCarried });

/** A connection of the client between bytes and bytes, without a socket: what it says is written down frame for frame. */
export class ClientOnFrames implements Wire, ConnectionOwner, CallHome {
  readonly clock = new FakeClock();
  readonly alarms = new FakeAlarms(this.clock);
  readonly heads = HEADS;
  readonly rules = RULES;
  readonly streamWindowBytes = LIMITS.streamWindowBytes;
  readonly timing: Timing = { clock: this.clock, setAlarm: this.alarms.set, random: () => 0.5 };
  readonly maxMessageBytes: number;
  readonly log = new FrameLog();
  /** What each call has told its sink, in words. */
  readonly calls: string[][] = [];
  readonly connection: ClientConnection;
  /** Calls that are over, as their channel hears it. */
  forgotten = 0;
  opened = false;
  lost = '';
  writableLength = 0;
  destroyed = false;
  ended = false;
  readonly #reader: FrameReader;
  #preface = PREFACE.length;

  constructor(maxMessageBytes = 1_000_000) {
    this.maxMessageBytes = maxMessageBytes;
    this.#reader = new FrameReader(this.log, { maxFrameBytes: 16_777_215, maxBlockBytes: 1_000_000, maxContinuations: 100 });
    this.connection = new ClientConnection(this, this, 30_000);
  }

  /** Begins a call where there is room for one. */
  ask(question: Uint8Array, streamed: boolean): boolean {
    if (!this.connection.hasRoom) return false;
    const told: string[] = [];
    this.calls.push(told);
    const head = { path: '/test.Service/Call', headers: ['x-mark', String(this.calls.length)], timeoutMs: 60_000 };
    this.connection.begin(streamed ? this.#streamed(head, question, told) : this.#unary(head, question, told));
    return true;
  }

  /** One piece of what the server says; like a socket's memory it is used again. */
  feed(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes);
    this.connection.read(chunk, chunk.length);
    chunk.fill(0xee);
  }

  nowMs(): number {
    return this.clock.nowMs();
  }

  wallMs(): number {
    return this.clock.wallMs();
  }

  forget(_call: H2Call): void {
    this.forgotten++;
  }

  /** There is no other connection. */
  place(call: H2Call): void {
    if (!this.connection.hasRoom || !this.connection.begin(call)) call.drop('It does not begin again.', false);
  }

  onOpen(): void {
    this.opened = true;
  }

  onRoom(): void {}
  onDraining(): void {}
  onTooManyPings(): void {}

  onLost(_connection: ClientConnection, reason: string): void {
    this.lost = reason;
  }

  write(bytes: Uint8Array): boolean {
    const copy = Buffer.from(bytes);
    const from = Math.min(this.#preface, copy.length);
    this.#preface -= from;
    if (this.#reader.read(copy, from, copy.length) !== 0) throw new Error(`The client broke a rule: ${this.#reader.problem}`);
    return true;
  }

  cork(): void {}
  uncork(): void {}
  ref(): void {}
  unref(): void {}

  destroySoon(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  setTimeout(): void {}

  #unary(head: { path: string; headers: string[]; timeoutMs: number }, question: Uint8Array, told: string[]): H2Call {
    return new UnaryH2Call(this, head, [question], 60_000, {
      onAnswer: (message) => told.push(`message ${message.toString('hex')}`, 'end 0'),
      onStatus: (status, details, sent) => told.push(`end ${status} ${details} ${sent}`),
    });
  }

  #streamed(head: { path: string; headers: string[]; timeoutMs: number }, question: Uint8Array, told: string[]): H2Call {
    const call = new StreamedH2Call(this, head, [question], 60_000, {
      onMessage: (message) => {
        told.push(`message ${message.toString('hex')}`);
        call.read();
      },
      onEnd: (status, details, sent) => told.push(`end ${status} ${details} ${sent}`),
    });
    return call;
  }
}
