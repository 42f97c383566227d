import { PREFACE } from '../../../src/wire/http2/frames/frame-format.ts';
import { FrameReader } from '../../../src/wire/http2/frames/frame-reader.ts';
import { HpackDecoder } from '../../../src/wire/http2/hpack/decoder.ts';
import { FrameLog } from '../../support/frame-log.ts';

/** Fields that say when, or in whose words, and nothing about what was meant. */
const UNHEARD = new Set(['date', 'grpc-message']);

/**
 * What one side of a connection has said, stream by stream, such that two engines that mean the same are written down alike: DATA is joined,
 * fields are in order, and windows are left out, since when they are widened is nobody's business (RFC 9113, 6.9.1).
 */
export class Overheard {
  readonly streams = new Map<number, string[]>();
  /** Payloads of PING with ACK. */
  readonly pings: string[] = [];
  settingsAcks = 0;
  /** Codes of GOAWAY. */
  readonly farewells: number[] = [];
  closed = false;
  /** What was wrong with the frames themselves; empty while all is well. */
  broken = '';
  readonly #reader: FrameReader;
  #preface: number;

  /** The fields of a client's requests are its own affair. */
  constructor(side: 'client' | 'server') {
    this.#preface = side === 'client' ? PREFACE.length : 0;
    const log = new FrameLog();
    const hpack = new HpackDecoder({ tableBytes: 4_096, maxFields: 128, maxListBytes: 65_536 });
    log.onHeaders = (streamId, endStream, block, from, to) => {
      if (!hpack.decode(block, from, to)) return 9;
      const { count, names, values } = hpack.fields;
      const fields = Array.from({ length: count }, (_, i) => `${names[i]}=${values[i]}`);
      if (side === 'server')
        this.#say(
          streamId,
          `headers ${fields
            .filter((one) => !UNHEARD.has(one.split('=')[0]!))
            .sort()
            .join(' ')}`,
        );
      if (endStream) this.#say(streamId, 'end');
      return 0;
    };
    log.onDataBytes = (streamId, chunk, from, to) => {
      this.#sayData(streamId, chunk.toString('hex', from, to));
      return 0;
    };
    log.onDataEnd = (streamId, endStream) => {
      if (endStream) this.#say(streamId, 'end');
      return 0;
    };
    log.onReset = (streamId, code) => {
      // RFC 9113, 8.1: behind a whole answer it says no more than that the rest of the request is not needed.
      if (code !== 0 || this.of(streamId).at(-1) !== 'end') this.#say(streamId, `reset ${code}`);
      return 0;
    };
    log.onPingAck = (payload, from) => this.pings.push(payload.toString('hex', from, from + 8)) * 0;
    log.onSettingsAck = () => this.settingsAcks++ * 0;
    log.onGoAway = (_last, code) => this.farewells.push(code) * 0;
    this.#reader = new FrameReader(log, { maxFrameBytes: 16_777_215, maxBlockBytes: 1_000_000, maxContinuations: 1_000 });
  }

  read(chunk: Buffer): void {
    const from = Math.min(this.#preface, chunk.length);
    this.#preface -= from;
    const error = this.#reader.read(chunk, from, chunk.length);
    if (error !== 0 && this.broken === '') this.broken = this.#reader.problem || `error ${error}`;
  }

  of(streamId: number): readonly string[] {
    return this.streams.get(streamId) ?? [];
  }

  /** It has ended the connection, in words or without. */
  get ended(): boolean {
    return this.closed || this.farewells.some((code) => code !== 0);
  }

  /** The code with which it ended the connection; -1 where it did so without one. */
  get code(): number {
    return this.farewells.find((code) => code !== 0) ?? this.farewells.at(-1) ?? -1;
  }

  #say(streamId: number, event: string): void {
    const events = this.streams.get(streamId);
    if (events === undefined) this.streams.set(streamId, [event]);
    else events.push(event);
  }

  #sayData(streamId: number, hex: string): void {
    const events = this.streams.get(streamId);
    const last = events?.at(-1);
    if (events !== undefined && last?.startsWith('data ')) events[events.length - 1] = last + hex;
    else this.#say(streamId, `data ${hex}`);
  }
}
