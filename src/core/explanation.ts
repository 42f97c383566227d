import { countByteStrings, joinByteStrings, splitByteStrings } from './byte-strings.ts';
import type { Prediction, Tensor } from './inference.ts';

/** How the answer to `explain` travels: what a server says there has no signature, so its JSON text is the one output. */

export const EXPLANATION = 'explanation';

export function explanationOf(json: Uint8Array): Tensor {
  return { name: EXPLANATION, datatype: 'BYTES', shape: [1], data: joinByteStrings([json]) };
}

/** The JSON text. `tensor` has passed `explanationFault`. */
export const explanationJson = (tensor: Tensor): Uint8Array => splitByteStrings(tensor.data)[0]!;

/** Why a prediction is no explanation; empty when it is one. */
export function explanationFault({ outputs }: Prediction): string {
  const only = outputs[0];
  const fits = only?.name === EXPLANATION && only.datatype === 'BYTES' && only.shape.length === 1 && only.shape[0] === 1;
  if (outputs.length === 1 && fits && countByteStrings(only.data) === 1) return '';
  return `found ${outputs.length} outputs, expected the one output "${EXPLANATION}" with the JSON text of an explanation`;
}
