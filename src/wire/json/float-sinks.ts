import { MINUS, NINE, UPPER_I, ZERO } from './ascii.ts';
import type { JsonCursor } from './cursor.ts';
import { ElementSink } from './element-sink.ts';
import { scanNumber, toFloat32, toFloat64 } from './number-token.ts';
import { bareWord } from './skip.ts';

/** FP32 and FP64 elements. NaN and the infinities are taken as bare words; whether they are welcome is for the model's rules to say. */

abstract class FloatSink<Values extends Float32Array | Float64Array> extends ElementSink {
  protected readonly values: Values;

  constructor(datatype: 'FP32' | 'FP64', values: Values) {
    super(datatype, 'a number');
    this.values = values;
  }

  // Typed arrays are little-endian on every machine that Node runs on but s390x.
  override bytes(): Uint8Array {
    return new Uint8Array(this.values.buffer);
  }

  protected fits(cursor: JsonCursor, index: number): boolean {
    const value = this.values[index]!;
    // A number that was written with digits must not become an infinity on the way.
    return value - value === 0 || this.outOfRange(cursor, index);
  }

  protected bare(cursor: JsonCursor, byte: number, index: number): boolean {
    const value = bareWord(cursor);
    if (value === 0) return this.wrongKind(cursor, byte, index);
    this.values[index] = value;
    return true;
  }
}

export class Float32Sink extends FloatSink<Float32Array> {
  constructor(count: number) {
    super('FP32', new Float32Array(count));
  }

  protected override put(cursor: JsonCursor, byte: number, index: number): boolean {
    if (!startsNumber(cursor, byte)) return this.bare(cursor, byte, index);
    if (!scanNumber(cursor)) return false;
    this.values[index] = toFloat32(cursor);
    return this.fits(cursor, index);
  }
}

export class Float64Sink extends FloatSink<Float64Array> {
  constructor(count: number) {
    super('FP64', new Float64Array(count));
  }

  protected override put(cursor: JsonCursor, byte: number, index: number): boolean {
    if (!startsNumber(cursor, byte)) return this.bare(cursor, byte, index);
    if (!scanNumber(cursor)) return false;
    this.values[index] = toFloat64(cursor);
    return this.fits(cursor, index);
  }
}

/** Everything else is a bare word or wrong. */
function startsNumber(cursor: JsonCursor, byte: number): boolean {
  if (byte >= ZERO && byte <= NINE) return true;
  return byte === MINUS && cursor.bytes[cursor.at + 1] !== UPPER_I;
}
