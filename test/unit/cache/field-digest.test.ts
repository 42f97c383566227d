import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldDigest } from '../../../src/cache/field-digest.ts';

type Field = number | string | Uint8Array;

/** The layout written plainly: every field whole in memory. */
function plainDigest(fields: readonly Field[]): string {
  const pieces = fields.flatMap((field) => {
    if (typeof field === 'number') return [double(field)];
    const data = typeof field === 'string' ? Buffer.from(field, 'utf16le') : field;
    return [double(field.length), data];
  });
  return createHash('sha256').update(Buffer.concat(pieces)).digest('base64');
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function digestOf(digest: FieldDigest, fields: readonly Field[]): string {
  digest.begin();
  for (const field of fields) {
    if (typeof field === 'number') digest.number(field);
    else if (typeof field === 'string') digest.text(field);
    else digest.bytes(field);
  }
  return digest.end();
}

const size = fc.oneof(
  fc.nat({ max: 40 }),
  fc.integer({ min: 8_150, max: 8_200 }),
  fc.integer({ min: 16_350, max: 16_400 }),
  fc.nat({ max: 40_000 }),
);
const field: fc.Arbitrary<Field> = fc.oneof(
  fc.integer(),
  size.map((length) => 'aé\ud83d'.repeat(Math.ceil(length / 3)).slice(0, length)),
  size.map((length) => new Uint8Array(length).fill(length % 251)),
);

describe('FieldDigest', () => {
  it('digests the same bytes whether they fit its scratch space or not', () => {
    const digest = new FieldDigest();
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
        expect(digestOf(digest, fields)).toBe(plainDigest(fields));
      }),
      { seed: 20_260, numRuns: 400 },
    );
  });

  it('writes -0 and 0 as the same number', () => {
    const digest = new FieldDigest();
    expect(digestOf(digest, [-0])).toBe(digestOf(digest, [0]));
  });
});
