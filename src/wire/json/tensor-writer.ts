import { isUtf8 } from 'node:buffer';
import { countByteStrings } from '../../core/byte-strings.ts';
import type { Tensor } from '../../core/inference.ts';
import { CLOSE_ARRAY, COMMA, OPEN_ARRAY } from './ascii.ts';
import type { ByteWriter } from './byte-writer.ts';
import { writeFloat32, writeFloat64 } from './float-text.ts';

const ELSEWHERE = 'ask for it as binary data (parameters.binary_data) or over gRPC';
const PREFIX_BYTES = 4;
const TWO_32 = 0x1_0000_0000;
const SAFE_HIGH = 0x20_0000; // 2^53 over 2^32

/** Writes the data of a tensor as one flat JSON array. Returns why it cannot, or an empty string. */
export function writeTensorData(writer: ByteWriter, tensor: Tensor): string {
  const refusal = jsonRefusal(tensor);
  if (refusal !== '') return refusal;
  writer.byte(OPEN_ARRAY);
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  switch (tensor.datatype) {
    case 'FP32':
      for (let at = 0; at < view.byteLength; at += 4) {
        if (at > 0) writer.byte(COMMA);
        writeFloat32(writer, view.getFloat32(at, true));
      }
      break;
    case 'FP64':
      for (let at = 0; at < view.byteLength; at += 8) {
        if (at > 0) writer.byte(COMMA);
        writeFloat64(writer, view.getFloat64(at, true));
      }
      break;
    case 'BOOL':
      for (let at = 0; at < view.byteLength; at++) {
        if (at > 0) writer.byte(COMMA);
        writer.text(view.getUint8(at) === 0 ? 'false' : 'true');
      }
      break;
    case 'BYTES':
      writeStrings(writer, tensor.data);
      break;
    default:
      writeIntegers(writer, tensor, view);
  }
  writer.byte(CLOSE_ARRAY);
  return '';
}

/** Why a tensor cannot be said in JSON, or an empty string. Checked as a whole before the first byte is written. */
export function jsonRefusal(tensor: Tensor): string {
  if (tensor.datatype === 'FP16' || tensor.datatype === 'BF16') {
    return `${tensor.datatype} data has no JSON form: ${ELSEWHERE}`;
  }
  if (tensor.datatype !== 'BYTES') return '';
  if (countByteStrings(tensor.data) === -1) return 'a length prefix of its BYTES data points past the end';
  if (isWhollyUtf8(tensor.data)) return '';
  for (let at = 0, index = 0; at < tensor.data.length; index++) {
    const from = at + PREFIX_BYTES;
    at = from + prefixAt(tensor.data, at);
    if (!isUtf8(tensor.data.subarray(from, at))) return `value ${index} is not UTF-8, which JSON needs: ${ELSEWHERE}`;
  }
  return '';
}

/**
 * Looks at all elements at once, which no slice of each is made for. Where the lengths between them are ASCII, no character reaches over
 * the end of an element; where they are not, this says nothing.
 */
function isWhollyUtf8(data: Uint8Array): boolean {
  for (let at = 0; at < data.length; at += PREFIX_BYTES + prefixAt(data, at)) {
    if ((data[at]! | data[at + 1]! | data[at + 2]! | data[at + 3]!) >= 0x80) return false;
  }
  return isUtf8(data);
}

function writeStrings(writer: ByteWriter, data: Uint8Array): void {
  for (let at = 0; at < data.length; ) {
    if (at > 0) writer.byte(COMMA);
    const from = at + PREFIX_BYTES;
    at = from + prefixAt(data, at);
    writer.string(data, from, at);
  }
}

function prefixAt(data: Uint8Array, at: number): number {
  return data[at]! + (data[at + 1]! << 8) + (data[at + 2]! << 16) + data[at + 3]! * 0x1000000;
}

function writeIntegers(writer: ByteWriter, tensor: Tensor, view: DataView): void {
  const { datatype } = tensor;
  const long = datatype === 'INT64' || datatype === 'UINT64';
  const step = long ? 8 : datatype.endsWith('32') ? 4 : datatype.endsWith('16') ? 2 : 1;
  const signed = datatype.startsWith('I');
  for (let at = 0; at < view.byteLength; at += step) {
    if (at > 0) writer.byte(COMMA);
    if (long) writeLong(writer, view, at, signed);
    else writer.integer(shortAt(view, at, step, signed));
  }
}

function shortAt(view: DataView, at: number, step: number, signed: boolean): number {
  if (step === 4) return signed ? view.getInt32(at, true) : view.getUint32(at, true);
  if (step === 2) return signed ? view.getInt16(at, true) : view.getUint16(at, true);
  return signed ? view.getInt8(at) : view.getUint8(at);
}

/** Up to 2^53 in two halves, beyond by way of a BigInt. */
function writeLong(writer: ByteWriter, view: DataView, at: number, signed: boolean): void {
  const low = view.getUint32(at, true);
  const high = signed ? view.getInt32(at + 4, true) : view.getUint32(at + 4, true);
  if (high >= -SAFE_HIGH && high < SAFE_HIGH) writer.integer(high * TWO_32 + low);
  else writer.text(String(signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true)));
}
