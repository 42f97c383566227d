import { type Datatype, elementCount } from '../../core/datatype.ts';
import type { Tensor } from '../../core/inference.ts';
import type { TensorSpec } from '../../core/signature.ts';
import type { JsonCursor } from '../json/cursor.ts';
import type { ElementSink } from '../json/element-sink.ts';
import { shapeText } from '../json/message-text.ts';
import { numberSink, readElements } from '../json/tensor-reader.ts';
import { ByteValueSink } from './byte-value-sink.ts';
import { nestedShape } from './nested-shape.ts';

/** Reads values that come without shape and datatype: the shape is read off their nesting, the datatype off the model's signature. */

/** The value at the cursor as the tensor that `spec` describes, or null when the cursor has failed. */
export function readValue(cursor: JsonCursor, spec: TensorSpec): Tensor | null {
  const shape = nestedShape(cursor);
  if (shape === null) return null;
  const sink = sinkOf(cursor, spec.datatype, shape, 1);
  if (sink === null || !readElements(cursor, sink, shape, 0)) return null;
  return { name: spec.name, datatype: spec.datatype, shape, data: sink.bytes() };
}

/**
 * A sink for `rows` values of `shape`, or null after the refusal. In an array an element takes two bytes of JSON at least, so values that
 * nest evenly never need more than four times the JSON that is left; a first one that is larger than all others is refused.
 */
export function sinkOf(cursor: JsonCursor, datatype: Datatype, shape: readonly number[], rows: number): ElementSink | null {
  if (datatype === 'FP16' || datatype === 'BF16') {
    cursor.refuse(`${datatype} data has no JSON form: send it as raw_input_contents over gRPC`);
    return null;
  }
  const each = elementCount(shape);
  const count = each === -1 ? -1 : each * rows;
  if (count === -1 || (count > 1 && count * 2 > cursor.end - cursor.at)) {
    cursor.refuse(`the values do not all nest as the first of them, which has the shape ${shapeText(shape)}`);
    return null;
  }
  return datatype === 'BYTES' ? new ByteValueSink() : numberSink(datatype, count);
}
