import { Flag, FRAME_HEAD_BYTES, FrameType } from '../../../src/wire/http2/frames/frame-format.ts';

/** One frame as a reader meets it, or what there is of it. */
export class FrameView {
  readonly bytes: Buffer;
  readonly isPreface: boolean;

  constructor(bytes: Buffer, isPreface = false) {
    this.bytes = bytes;
    this.isPreface = isPreface;
  }

  get hasHead(): boolean {
    return !this.isPreface && this.bytes.length >= FRAME_HEAD_BYTES;
  }

  get length(): number {
    return this.hasHead ? this.bytes.readUIntBE(0, 3) : 0;
  }

  /** All of its payload is here. */
  get isWhole(): boolean {
    return this.hasHead && this.bytes.length === FRAME_HEAD_BYTES + this.length;
  }

  get type(): number {
    return this.hasHead ? this.bytes[3]! : -1;
  }

  get streamId(): number {
    return this.hasHead ? this.bytes.readUInt32BE(5) & 0x7fff_ffff : 0;
  }

  get payload(): Buffer {
    return this.hasHead ? this.bytes.subarray(FRAME_HEAD_BYTES) : Buffer.alloc(0);
  }

  has(flag: number): boolean {
    return this.hasHead && (this.bytes[4]! & flag) !== 0;
  }

  is(type: number): boolean {
    return this.type === type;
  }

  /** HEADERS, or what continues them. */
  get isOfBlock(): boolean {
    return this.is(FrameType.Headers) || this.is(FrameType.Continuation);
  }

  /** A header block that has begun and not ended. */
  get leavesBlockOpen(): boolean {
    return this.isOfBlock && !(this.isWhole && this.has(Flag.EndHeaders));
  }

  toString(): string {
    if (!this.hasHead) return `${this.isPreface ? 'preface' : 'a piece of a frame'} ${this.bytes.toString('hex')}`;
    const head = `type ${this.type} flags 0x${this.bytes[4]!.toString(16)} stream ${this.streamId} length ${this.length}`;
    return `${head} ${this.isWhole ? '' : `(${this.payload.length} here) `}${this.payload.toString('hex').slice(0, 200)}`;
  }
}
