import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { describe, expect, it } from 'vitest';
import { FieldWriter } from '../../../../src/wire/oip/field-writer.ts';

type Step =
  | readonly ['uint32' | 'uint64' | 'int64' | 'double', number]
  | readonly ['bool', boolean]
  | readonly ['string', string]
  | readonly ['bytes', Uint8Array]
  | readonly ['halves', bigint]
  | readonly ['fork' | 'ldelim', null];

const edges = [0, 1, 127, 128, 16_383, 16_384, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const wide = [...edges, 2 ** 32, 2 ** 35, 2 ** 49, Number.MAX_SAFE_INTEGER];
const size = fc.oneof(fc.nat(60), fc.constantFrom(126, 127, 128, 129, 4_090, 4_096, 16_382, 16_390, 70_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant('uint32' as const), fc.oneof(fc.nat(), fc.constantFrom(...edges))),
  fc.tuple(fc.constant('uint64' as const), fc.oneof(fc.maxSafeNat(), fc.constantFrom(...wide))),
  fc.tuple(fc.constant('int64' as const), fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...wide, ...wide.map((n) => 0 - n)))),
  fc.tuple(fc.constant('double' as const), fc.double()),
  fc.tuple(fc.constant('bool' as const), fc.boolean()),
  fc.tuple(
    fc.constant('string' as const),
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      size.map((n) => 'ab'.repeat(n).slice(0, n)),
    ),
  ),
  fc.tuple(
    fc.constant('bytes' as const),
    size.map((n) => new Uint8Array(n).fill(n % 256)),
  ),
  fc.tuple(fc.constant('halves' as const), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })),
  fc.constantFrom<Step>(['fork', null], ['ldelim', null]),
);

const halves = (value: bigint): { low: number; high: number; unsigned: boolean } => ({
  low: Number(BigInt.asIntN(32, value)),
  high: Number(BigInt.asIntN(32, value >> 32n)),
  unsigned: false,
});

/** The same steps on either writer; sub-messages are closed in the end. */
function write(writer: FieldWriter | protobuf.Writer, steps: readonly Step[]): Buffer {
  let open = 0;
  for (const [what, value] of steps) {
    if (what === 'fork') {
      writer.fork();
      open++;
    } else if (what === 'ldelim') {
      if (open > 0) writer.ldelim();
      open = Math.max(0, open - 1);
    } else if (what === 'halves') writer.int64(halves(value));
    else (writer[what] as (value: unknown) => unknown).call(writer, value);
  }
  for (; open > 0; open--) writer.ldelim();
  return Buffer.from(writer.finish());
}

describe('FieldWriter', () => {
  it('writes the bytes that a package writes, message after message', () => {
    const writer = new FieldWriter();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        expect(write(writer, steps).equals(write(protobuf.Writer.create(), steps))).toBe(true);
        expect(writer.len).toBe(0);
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });

  it('writes the same wherever in its slab a message begins', () => {
    const lengths = [1, 100, 126, 127, 128, 200, 8_100];
    for (let before = 8_192 - 300; before < 8_192; before++) {
      for (const length of lengths) {
        const writer = new FieldWriter();
        writer.bytes(new Uint8Array(before - 2)).finish();
        const steps: Step[] = [
          ['fork', null],
          ['fork', null],
          ['string', 'x'.repeat(length)],
          ['ldelim', null],
          ['uint32', 7],
        ];
        expect(write(writer, steps).equals(write(protobuf.Writer.create(), steps))).toBe(true);
      }
    }
  });

  it('makes of half a surrogate pair what UTF-8 has for it', () => {
    expect(new FieldWriter().string('a\ud800b').finish().subarray(1).toString('utf8')).toBe('a\ufffdb');
  });

  it('gives out bytes that later messages leave alone', () => {
    const writer = new FieldWriter();
    const first = writer.string('first').finish();
    for (let i = 0; i < 5_000; i++) writer.string('other').finish();
    expect(first.toString('latin1', 1)).toBe('first');
  });
});
