import { H2Error, type H2ErrorCode, h2ErrorName } from '../h2-error.ts';
import { Flag, FRAME_HEAD_BYTES, FrameType, PRIORITY_BYTES, read31, read32 } from './frame-format.ts';
import { frameError } from './frame-rules.ts';
import type { FrameSink } from './frame-sink.ts';
import { type HeaderBlockLimits, HeaderGatherer } from './header-gatherer.ts';

export interface FrameLimits extends HeaderBlockLimits {
  /** SETTINGS_MAX_FRAME_SIZE as it was told to the other side. */
  readonly maxFrameBytes: number;
}

/** What the next byte belongs to. */
const HEAD = 0;
const PAD_LENGTH = 1;
const DATA = 2;
const SKIPPED = 3;
const PAYLOAD = 4;

/**
 * Cuts what a connection brings into frames (RFC 9113, 4 and 6). What DATA carries is handed on as it comes, never gathered; other frames
 * are read in place where they lie in one chunk. However the bytes are split, the sink hears the same.
 */
export class FrameReader {
  /** What was wrong, once `read` has answered with an error of this reader's own. */
  problem = '';
  readonly #sink: FrameSink;
  readonly #limits: FrameLimits;
  readonly #headers: HeaderGatherer;
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES);
  #state = HEAD;
  /** Bytes of the head, or of a gathered payload, that are here. */
  #have = 0;
  #length = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes of this frame to come, without padding. */
  #left = 0;
  #padding = 0;
  #payload: Buffer = EMPTY;
  /** The other side's SETTINGS have begun. */
  #settled = false;
  #stopped = false;
  #error: H2ErrorCode = H2Error.None;

  constructor(sink: FrameSink, limits: FrameLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#headers = new HeaderGatherer(limits);
  }

  /** Takes the bytes of `chunk` from `from` to `to`. After an error nothing more is read, and it is answered again. @hot */
  read(chunk: Buffer, from: number, to: number): H2ErrorCode {
    let at = from;
    while (at < to && this.#error === H2Error.None && !this.#stopped) {
      switch (this.#state) {
        case HEAD:
          at = this.#readHead(chunk, at, to);
          break;
        case DATA:
          at = this.#readData(chunk, at, to);
          break;
        case PAYLOAD:
          at = this.#readPayload(chunk, at, to);
          break;
        case SKIPPED:
          at = this.#skip(at, to);
          break;
        default:
          at = this.#readPadLength(chunk, at);
      }
    }
    return this.#error;
  }

  /** Nothing more is read, not even the rest of this chunk. */
  stop(): void {
    this.#stopped = true;
  }

  #readHead(chunk: Buffer, at: number, to: number): number {
    if (this.#have === 0 && to - at >= FRAME_HEAD_BYTES) {
      this.#begin(chunk, at);
      return at + FRAME_HEAD_BYTES;
    }
    const end = Math.min(to, at + FRAME_HEAD_BYTES - this.#have);
    chunk.copy(this.#head, this.#have, at, end);
    this.#have += end - at;
    if (this.#have === FRAME_HEAD_BYTES) {
      this.#have = 0;
      this.#begin(this.#head, 0);
    }
    return end;
  }

  #begin(head: Buffer, at: number): void {
    this.#length = (head[at]! << 16) | (head[at + 1]! << 8) | head[at + 2]!;
    this.#type = head[at + 3]!;
    this.#flags = head[at + 4]!;
    this.#streamId = read31(head, at + 5);
    const problem = this.#misplaced();
    if (problem !== H2Error.None) {
      this.#error = problem;
      return;
    }
    if (this.#type === FrameType.Data) this.#beginData();
    else if (this.#type > FrameType.Continuation || this.#type === FrameType.Priority) this.#beginIgnored();
    else {
      this.#left = this.#length;
      this.#state = PAYLOAD;
      if (this.#length === 0) this.#act(EMPTY, 0, 0);
    }
  }

  /** What is wrong with a frame that one can tell from its head. */
  #misplaced(): H2ErrorCode {
    const { streamId } = this.#headers;
    if (!this.#settled) {
      // RFC 9113, 3.4: each side begins with SETTINGS. What speaks another protocol ends here.
      if (this.#type !== FrameType.Settings || (this.#flags & Flag.Ack) !== 0) {
        return this.#fail(H2Error.Protocol, 'the first bytes are not the SETTINGS with which HTTP/2 begins');
      }
      this.#settled = true;
    }
    // RFC 9113, 4.2.
    if (this.#length > this.#limits.maxFrameBytes) {
      return this.#fail(H2Error.FrameSize, `a frame of ${this.#length} bytes, ${this.#limits.maxFrameBytes} are allowed`);
    }
    // RFC 9113, 4.3 and 6.10: the frames of a block stand together, and one block begins what another does not continue.
    const continues = this.#type === FrameType.Continuation;
    if (streamId !== 0 && (!continues || this.#streamId !== streamId)) {
      return this.#fail(H2Error.Protocol, 'a header block is interrupted by another frame');
    }
    const error = frameError(this.#type, this.#flags, this.#streamId, this.#length);
    if (error !== H2Error.None) {
      return this.#fail(error, `a frame of type ${this.#type} with ${this.#length} bytes on stream ${this.#streamId}`);
    }
    if (!continues) return H2Error.None;
    if (streamId === 0) return this.#fail(H2Error.Protocol, 'CONTINUATION without a header block to continue');
    return this.#tooMany(this.#headers.continued());
  }

  #beginData(): void {
    this.#left = this.#length;
    this.#padding = 0;
    this.#error = this.#sink.onDataStart(this.#streamId, this.#length);
    if ((this.#flags & Flag.Padded) !== 0) this.#state = PAD_LENGTH;
    else if (this.#length === 0) this.#endData();
    else this.#state = DATA;
  }

  #readPadLength(chunk: Buffer, at: number): number {
    this.#padding = chunk[at]!;
    // RFC 9113, 6.1.
    if (this.#padding >= this.#length) {
      this.#error = this.#fail(H2Error.Protocol, 'a frame has more padding than there is room for');
      return at;
    }
    this.#left = this.#length - 1 - this.#padding;
    if (this.#left > 0) this.#state = DATA;
    else this.#pad();
    return at + 1;
  }

  #readData(chunk: Buffer, at: number, to: number): number {
    const end = Math.min(to, at + this.#left);
    this.#left -= end - at;
    this.#error = this.#sink.onDataBytes(this.#streamId, chunk, at, end);
    if (this.#left === 0 && this.#error === H2Error.None) this.#pad();
    return end;
  }

  #pad(): void {
    if (this.#padding === 0) {
      this.#endData();
      return;
    }
    this.#left = this.#padding;
    this.#state = SKIPPED;
  }

  #skip(at: number, to: number): number {
    const end = Math.min(to, at + this.#left);
    this.#left -= end - at;
    if (this.#left === 0) {
      if (this.#type === FrameType.Data) this.#endData();
      else this.#state = HEAD;
    }
    return end;
  }

  #endData(): void {
    this.#state = HEAD;
    if (this.#error !== H2Error.None) return;
    this.#error = this.#sink.onDataEnd(this.#streamId, (this.#flags & Flag.EndStream) !== 0);
  }

  #beginIgnored(): void {
    this.#left = this.#length;
    this.#state = this.#length === 0 ? HEAD : SKIPPED;
    this.#error = this.#sink.onIgnored(this.#type);
  }

  #readPayload(chunk: Buffer, at: number, to: number): number {
    const length = this.#length;
    if (this.#have === 0 && to - at >= length) {
      this.#act(chunk, at, at + length);
      return at + length;
    }
    if (this.#have === 0) this.#payload = Buffer.allocUnsafe(length);
    const end = Math.min(to, at + length - this.#have);
    chunk.copy(this.#payload, this.#have, at, end);
    this.#have += end - at;
    if (this.#have === length) {
      this.#have = 0;
      const payload = this.#payload;
      this.#payload = EMPTY;
      this.#act(payload, 0, length);
    }
    return end;
  }

  /** A whole frame is here. */
  #act(payload: Buffer, from: number, to: number): void {
    this.#state = HEAD;
    this.#error = this.#acted(payload, from, to);
  }

  #acted(payload: Buffer, from: number, to: number): H2ErrorCode {
    const sink = this.#sink;
    const acknowledges = (this.#flags & Flag.Ack) !== 0;
    switch (this.#type) {
      case FrameType.Headers:
        return this.#actHeaders(payload, from, to);
      case FrameType.Continuation:
        return this.#actBlock(payload, from, to);
      case FrameType.Reset:
        return sink.onReset(this.#streamId, read32(payload, from));
      case FrameType.Settings:
        return acknowledges ? sink.onSettingsAck() : sink.onSettings(payload, from, to);
      case FrameType.Ping:
        return acknowledges ? sink.onPingAck(payload, from) : sink.onPing(payload, from);
      case FrameType.GoAway:
        return sink.onGoAway(read31(payload, from), read32(payload, from + 4), payload, from + 8, to);
      default:
        return sink.onWindowUpdate(this.#streamId, read31(payload, from));
    }
  }

  /** RFC 9113, 6.2: padding and priority stand around the block. */
  #actHeaders(payload: Buffer, start: number, end: number): H2ErrorCode {
    let from = start;
    let to = end;
    if ((this.#flags & Flag.Padded) !== 0) to -= payload[from++]!;
    if ((this.#flags & Flag.Priority) !== 0) from += PRIORITY_BYTES;
    if (from > to) return this.#fail(H2Error.Protocol, 'HEADERS have more padding than there is room for');
    const endStream = (this.#flags & Flag.EndStream) !== 0;
    if ((this.#flags & Flag.EndHeaders) !== 0) return this.#sink.onHeaders(this.#streamId, endStream, payload, from, to);
    this.#headers.begin(this.#streamId, endStream);
    return this.#tooMany(this.#headers.add(payload, from, to));
  }

  #actBlock(payload: Buffer, from: number, to: number): H2ErrorCode {
    const headers = this.#headers;
    const error = this.#tooMany(headers.add(payload, from, to));
    if (error !== H2Error.None || (this.#flags & Flag.EndHeaders) === 0) return error;
    const { streamId, endStream, block, length } = headers;
    headers.end();
    return this.#sink.onHeaders(streamId, endStream, block, 0, length);
  }

  #tooMany(error: H2ErrorCode): H2ErrorCode {
    return error === H2Error.None ? error : this.#fail(error, 'a header block in too many or too large frames');
  }

  #fail(code: H2ErrorCode, problem: string): H2ErrorCode {
    this.problem = `${h2ErrorName(code)}: ${problem}`;
    return code;
  }
}

const EMPTY = Buffer.alloc(0);
