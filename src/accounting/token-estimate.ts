import { elementCount } from '../core/datatype.ts';
import type { Tensor } from '../core/inference.ts';

/** Bytes of text to a token: the usual rule of thumb for English, taken where no tokeniser of the model is at hand. */
const BYTES_PER_TOKEN = 4;
/** Each string of a BYTES tensor has a length prefix of this size. */
const PREFIX_BYTES = 4;

/**
 * Tokens of all texts among `tensors`, by their bytes; 0 where there is no text. Shapes have been found to say how many strings there are:
 * to count them again would walk all of 64 MiB.
 */
export function estimatedTokens(tensors: readonly Tensor[]): number {
  let bytes = 0;
  for (let i = 0; i < tensors.length; i++) {
    const { datatype, shape, data } = tensors[i]!;
    if (datatype === 'BYTES') bytes += data.length - PREFIX_BYTES * elementCount(shape);
  }
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}
