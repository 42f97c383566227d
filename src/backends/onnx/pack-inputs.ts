import type { OnnxCall } from './onnx-call.ts';
import type { RunJob } from './thread-messages.ts';

/** Views need 8 bytes; a cache line keeps inputs apart and costs nothing. */
const ALIGN_BYTES = 64;

/**
 * The inputs of the calls that share a run, in one fresh buffer: the only copy of a request's tensor bytes, and one that may be
 * transferred. What lies between two inputs is zero and read by nobody.
 *
 *   input 0: call A, call B … | pad | input 1: call A, call B …
 *
 * Rows of several calls just follow each other, in BYTES as in numbers. Throws a RangeError when there is no memory for it.
 */
export function packInputs(run: number, session: number, calls: readonly OnnxCall[]): RunJob {
  const first = calls[0]!.inputs;
  const shapes: (readonly number[])[] = new Array(first.length);
  const places: number[] = new Array(first.length * 2);
  let end = 0;
  for (let i = 0; i < first.length; i++) {
    const offset = Math.ceil(end / ALIGN_BYTES) * ALIGN_BYTES;
    let sizeBytes = 0;
    for (let j = 0; j < calls.length; j++) sizeBytes += calls[j]!.inputs[i]!.data.length;
    places[i * 2] = offset;
    places[i * 2 + 1] = sizeBytes;
    shapes[i] = calls.length === 1 ? first[i]!.shape : sharedShape(calls, i);
    end = offset + sizeBytes;
  }
  const buffer = new ArrayBuffer(end);
  const bytes = new Uint8Array(buffer);
  for (let i = 0; i < first.length; i++) {
    let at = places[i * 2]!;
    for (let j = 0; j < calls.length; j++) {
      const data = calls[j]!.inputs[i]!.data;
      bytes.set(data, at);
      at += data.length;
    }
  }
  return { run, session, buffer, shapes, places };
}

function sharedShape(calls: readonly OnnxCall[], index: number): number[] {
  const shape = calls[0]!.inputs[index]!.shape.slice();
  for (let j = 1; j < calls.length; j++) shape[0] = shape[0]! + calls[j]!.inputs[index]!.shape[0]!;
  return shape;
}
