import { Flag, FrameType } from '../../../src/wire/http2/frames/frame-format.ts';
import { FrameReader } from '../../../src/wire/http2/frames/frame-reader.ts';
import { HpackDecoder } from '../../../src/wire/http2/hpack/decoder.ts';
import { DEFAULT_WINDOW_BYTES, Setting } from '../../../src/wire/http2/settings.ts';
import { FrameLog } from '../../support/frame-log.ts';
import type { FrameView } from './frame-view.ts';

/** What one side has said so far, as far as it matters for what the other may do: which streams it has begun and ended, and their windows. */
export class Said {
  readonly begun = new Set<number>();
  readonly ended = new Set<number>();
  readonly reset = new Set<number>();
  /** Streams that state how long their body is. */
  readonly lengths = new Set<number>();
  highestId = 0;
  #initialWindow = DEFAULT_WINDOW_BYTES;
  readonly #widened = new Map<number, number>();
  readonly #reader: FrameReader;
  #fields: readonly (readonly [name: string, value: string])[] = [];

  constructor() {
    const log = new FrameLog();
    const hpack = new HpackDecoder({ tableBytes: 4_096, maxFields: 1_000, maxListBytes: 1_000_000 });
    log.onHeaders = (streamId, _endStream, block, from, to) => {
      if (!hpack.decode(block, from, to)) return 9;
      const { count, names, values } = hpack.fields;
      if (hpack.fields.find('content-length') !== null) this.lengths.add(streamId);
      this.#fields = Array.from({ length: count }, (_, i) => [names[i]!, values[i]!] as const);
      return 0;
    };
    this.#reader = new FrameReader(log, { maxFrameBytes: 16_777_215, maxBlockBytes: 1_000_000, maxContinuations: 1_000 });
  }

  /** The fields of the block that this frame completes; to be called once for each frame, in their order. */
  fieldsOf({ bytes, isPreface }: FrameView): readonly (readonly [name: string, value: string])[] {
    this.#fields = [];
    if (!isPreface) this.#reader.read(bytes, 0, bytes.length);
    return this.#fields;
  }

  take(frame: FrameView): void {
    const { streamId, payload } = frame;
    if (frame.is(FrameType.Headers)) {
      this.begun.add(streamId);
      this.highestId = Math.max(this.highestId, streamId);
    }
    if (!frame.isWhole) return;
    if ((frame.is(FrameType.Headers) || frame.is(FrameType.Data)) && frame.has(Flag.EndStream)) this.ended.add(streamId);
    if (frame.is(FrameType.Reset)) this.reset.add(streamId);
    if (frame.is(FrameType.WindowUpdate) && payload.length === 4) {
      this.#widened.set(streamId, (this.#widened.get(streamId) ?? 0) + (payload.readUInt32BE(0) & 0x7fff_ffff));
    }
    if (!frame.is(FrameType.Settings) || frame.has(Flag.Ack)) return;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload.readUInt16BE(at) === Setting.InitialWindowSize) this.#initialWindow = payload.readUInt32BE(at + 2);
    }
  }

  /** What the other side may send on a stream, all in all. */
  grant(streamId: number): number {
    return this.#initialWindow + (this.#widened.get(streamId) ?? 0);
  }
}
