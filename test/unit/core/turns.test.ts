import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinInTurns, TURN_BYTES } from '../../../src/core/turns.ts';

const numbered = (size: number, first: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => first + i);

describe('a copy in turns', () => {
  it('joins pieces of any sizes, at once where they are few bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }), (pieces) => {
        expect(Buffer.compare(joinInTurns(pieces) as Uint8Array, Buffer.concat(pieces))).toBe(0);
      }),
    );
  });

  it('is the same where it takes many turns, within pieces and across them', async () => {
    const pieces = [numbered(10, 1), numbered(2 * TURN_BYTES + 3, 7), numbered(TURN_BYTES, 3), numbered(5, 9)];
    const joined = joinInTurns(pieces);
    expect(joined).toBeInstanceOf(Promise);
    expect(Buffer.compare(await joined, Buffer.concat(pieces))).toBe(0);
  });

  it('gives each turn of the event loop to one copy, however many there are', async () => {
    const turns = 4;
    const copies = 3;
    let loops = 0;
    let isOver = false;
    const count = (): void => {
      loops++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await Promise.all(Array.from({ length: copies }, () => joinInTurns([new Uint8Array(turns * TURN_BYTES)])));
    isOver = true;
    expect(loops).toBeGreaterThanOrEqual(turns * copies - 1);
  });
});
