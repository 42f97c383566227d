import type { InferenceSession } from 'onnxruntime-node';
import type { Signature, TensorSpec } from '../../core/signature.ts';
import { datatypeOf } from './element-types.ts';

/** OIP's name for models in the ONNX format that onnxruntime executes. */
const PLATFORM = 'onnxruntime_onnx';

/** Numbers of `TensorProto.DataType` that onnxruntime-node refuses while it loads a file, without saying what they are. */
const REFUSED_TYPES: ReadonlyMap<string, string> = new Map([
  ['14', 'COMPLEX64'],
  ['15', 'COMPLEX128'],
  ['16', 'BFLOAT16'],
  ['17', 'FLOAT8E4M3FN'],
  ['18', 'FLOAT8E4M3FNUZ'],
  ['19', 'FLOAT8E5M2'],
  ['20', 'FLOAT8E5M2FNUZ'],
  ['23', 'FLOAT4E2M1'],
]);

/** What a session takes and gives. Throws with the tensor's name when the protocol cannot carry it. */
export function signatureOf(session: InferenceSession): Signature {
  return {
    platform: PLATFORM,
    decoupled: false,
    inputs: session.inputMetadata.map((metadata) => tensorSpec('input', metadata)),
    outputs: session.outputMetadata.map((metadata) => tensorSpec('output', metadata)),
  };
}

function tensorSpec(side: 'input' | 'output', metadata: InferenceSession.ValueMetadata): TensorSpec {
  if (!metadata.isTensor) {
    throw new Error(
      `${side} "${metadata.name}" is a sequence, a map or an optional; only tensors can be served. Export the model with plain tensors.`,
    );
  }
  const datatype = datatypeOf(metadata.type);
  if (datatype === null) {
    throw new Error(
      `${side} "${metadata.name}" has the element type ${metadata.type}, which cannot be served. Cast it inside the model.`,
    );
  }
  // A symbolic dimension comes as its name, and one without a name as an empty string.
  const shape = metadata.shape.map((size) => (typeof size === 'number' ? size : -1));
  return { name: metadata.name, datatype, shape };
}

/** Says in words what onnxruntime-node gives as a number. Other messages come back as they are. */
export function explainLoadError(message: string): string {
  const number = /^Unsupported data type: (\d+)$/.exec(message)?.[1];
  if (number === undefined) return message;
  const type = REFUSED_TYPES.get(number) ?? `number ${number}`;
  return `an input or output has the element type ${type}, which onnxruntime-node cannot exchange. Cast it inside the model.`;
}
