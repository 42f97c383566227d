import { isUtf8 } from 'node:buffer';
import { elementBytes } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import { CLOSE_ARRAY, COMMA, OPEN_ARRAY } from '../json/ascii.ts';
import type { ByteWriter } from '../json/byte-writer.ts';
import { writeFloat32, writeFloat64 } from '../json/float-text.ts';

const PREFIX_BYTES = 4;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Whether BYTES are written as `{"b64": "…"}`: always, where they are no UTF-8, or never. */
export type Base64Use = 'always' | 'needed' | 'never';

/**
 * Writes the elements of one tensor as JSON, one after another, nested as a shape says. The tensor has passed its contract, and can be
 * said in JSON.
 */
export class ValueWriter {
  readonly #tensor: Tensor;
  readonly #view: DataView;
  readonly #base64: Base64Use;
  #at = 0;

  constructor(tensor: Tensor, base64: Base64Use) {
    this.#tensor = tensor;
    this.#view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
    this.#base64 = base64;
  }

  /** Writes the next elements, as many as the dimensions of `shape` from `dimension` on hold. Rank bounds the recursion. */
  nested(writer: ByteWriter, shape: readonly number[], dimension: number): void {
    if (dimension === shape.length) {
      this.#element(writer);
      return;
    }
    writer.byte(OPEN_ARRAY);
    for (let i = 0; i < shape[dimension]!; i++) {
      if (i > 0) writer.byte(COMMA);
      this.nested(writer, shape, dimension + 1);
    }
    writer.byte(CLOSE_ARRAY);
  }

  #element(writer: ByteWriter): void {
    const view = this.#view;
    const at = this.#at;
    const { datatype } = this.#tensor;
    if (datatype === 'BYTES') {
      this.#string(writer);
      return;
    }
    this.#at += elementBytes(datatype);
    switch (datatype) {
      case 'FP32':
        writeFloat32(writer, view.getFloat32(at, true));
        break;
      case 'FP64':
        writeFloat64(writer, view.getFloat64(at, true));
        break;
      case 'BOOL':
        writer.text(view.getUint8(at) === 0 ? 'false' : 'true');
        break;
      case 'INT64':
        writeLong(writer, view.getBigInt64(at, true));
        break;
      case 'UINT64':
        writeLong(writer, view.getBigUint64(at, true));
        break;
      default:
        writer.integer(shortAt(view, at, datatype));
    }
  }

  #string(writer: ByteWriter): void {
    const { data } = this.#tensor;
    const from = this.#at + PREFIX_BYTES;
    const to = from + this.#view.getUint32(this.#at, true);
    this.#at = to;
    if (this.#base64 === 'never' || (this.#base64 === 'needed' && isUtf8(data.subarray(from, to)))) {
      writer.string(data, from, to);
      return;
    }
    writer.text(`{"b64":"${Buffer.from(data.buffer, data.byteOffset + from, to - from).toString('base64')}"}`);
  }
}

function writeLong(writer: ByteWriter, value: bigint): void {
  if (value <= MAX_SAFE && value >= -MAX_SAFE) writer.integer(Number(value));
  else writer.text(String(value));
}

function shortAt(view: DataView, at: number, datatype: string): number {
  switch (datatype) {
    case 'UINT8':
      return view.getUint8(at);
    case 'UINT16':
      return view.getUint16(at, true);
    case 'UINT32':
      return view.getUint32(at, true);
    case 'INT8':
      return view.getInt8(at);
    case 'INT16':
      return view.getInt16(at, true);
    default:
      return view.getInt32(at, true);
  }
}
