import type { CacheEntry } from '../core/cache.ts';
import type { Prediction, Tensor } from '../core/inference.ts';
import type { Millis } from '../core/units.ts';

// Bytes that an entry costs besides its slab, measured on Node 24.21 (x64) as growth of heap and external memory over 50,000 entries
// in the store (527 and 224), the first rounded up for the allocator of the slab.
const ENTRY_OVERHEAD_BYTES = 576;
const OUTPUT_OVERHEAD_BYTES = 224;
const DIMENSION_BYTES = 8;
const NAME_UNIT_BYTES = 2;

/** Of which model and variant an answer is, and until when it may be used. */
export interface CacheEntryOrigin {
  readonly model: string;
  readonly variant: string;
  readonly expiresMs: Millis;
  /** Larger answers are not copied: no store takes them, and who waits for one now may share its bytes. */
  readonly maxBytes: number;
  /** Characters of the key, which is the request itself where that is short. */
  readonly keyChars: number;
}

/** Copies an answer into one slab of its own. The copy is frozen: every later caller gets the same objects. */
export function cacheEntryOf(prediction: Prediction, origin: CacheEntryOrigin): CacheEntry {
  const from = prediction.outputs;
  let dataBytes = 0;
  let sizeBytes = ENTRY_OVERHEAD_BYTES + origin.keyChars;
  for (let i = 0; i < from.length; i++) {
    const tensor = from[i]!;
    dataBytes += tensor.data.length;
    sizeBytes += OUTPUT_OVERHEAD_BYTES + tensor.name.length * NAME_UNIT_BYTES + tensor.shape.length * DIMENSION_BYTES;
  }
  // "Slow" means outside of Buffer's pool: a view on the pool would pin 8 KiB that others write to.
  const isKept = dataBytes <= origin.maxBytes;
  const slab = Buffer.allocUnsafeSlow(isKept ? dataBytes : 0);
  const outputs: Tensor[] = [];
  let at = 0;
  for (let i = 0; i < from.length; i++) {
    const tensor = from[i]!;
    if (isKept) slab.set(tensor.data, at);
    outputs.push(copyOf(tensor, isKept ? slab.subarray(at, at + tensor.data.length) : tensor.data));
    at += tensor.data.length;
  }
  return Object.freeze({
    prediction: Object.freeze({ outputs: Object.freeze(outputs) as Tensor[], computeUs: prediction.computeUs }),
    model: origin.model,
    variant: origin.variant,
    sizeBytes: sizeBytes + dataBytes,
    expiresMs: origin.expiresMs,
  });
}

function copyOf(tensor: Tensor, data: Uint8Array): Tensor {
  return Object.freeze({ name: tensor.name, datatype: tensor.datatype, shape: Object.freeze(tensor.shape.slice()), data });
}
