import fc from 'fast-check';
import { joinByteStrings } from '../../../../src/core/byte-strings.ts';
import { DATATYPES, type Datatype, elementBytes, elementCount } from '../../../../src/core/datatype.ts';
import type { InferenceRequest, Tensor } from '../../../../src/core/inference.ts';

/** Seeded requests and tensors for the tests of the protocol's messages. */

export const RUNS = { seed: 20_240_607, numRuns: 150 } as const;

export const text = fc.string({ unit: 'binary', maxLength: 12 });
export const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
export const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
export const datatype = fc.constantFrom(...DATATYPES);

export const tensor: fc.Arbitrary<Tensor> = fc
  .tuple(name, datatype, shape)
  .chain(([tensorName, kind, dims]) =>
    bytesOf(kind, elementCount(dims)).map((data) => ({ name: tensorName, datatype: kind, shape: dims, data })),
  );

function bytesOf(kind: Datatype, count: number): fc.Arbitrary<Uint8Array> {
  if (kind !== 'BYTES') {
    const size = count * elementBytes(kind);
    return fc.uint8Array({ minLength: size, maxLength: size });
  }
  const element = fc.uint8Array({ maxLength: 5 });
  return fc.array(element, { minLength: count, maxLength: count }).map((elements) => new Uint8Array(joinByteStrings(elements)));
}

const count64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const narrow = (value: bigint): number | bigint => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value);

/** Only parameters that the gateway lets through, in the order in which it keeps them. */
const params = fc
  .record(
    {
      sequence_id: fc.oneof(name, count64.filter((value) => value > 0n).map(narrow)),
      sequence_start: fc.boolean(),
      sequence_end: fc.boolean(),
      priority: count64.map(narrow),
    },
    { requiredKeys: [] },
  )
  .map((record) => new Map<string, string | number | bigint | boolean>(Object.entries(record)));

export const request: fc.Arbitrary<InferenceRequest> = fc
  .record({
    model: name,
    version: text,
    id: text,
    params,
    inputs: fc.array(tensor, { maxLength: 4 }),
    wanted: fc.array(text, { maxLength: 3 }),
  })
  .map((drawn) => ({
    ...drawn,
    task: 'predict' as const,
    timeoutUs: 0,
    sequenceId: String(drawn.params.get('sequence_id') ?? ''),
  }));
