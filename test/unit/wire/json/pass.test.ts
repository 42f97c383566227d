import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonCursor } from '../../../../src/wire/json/cursor.ts';
import { passArray, passElements, passValue, skipValue } from '../../../../src/wire/json/skip.ts';

const cursorAt = (text: string): JsonCursor => {
  const cursor = new JsonCursor(12);
  cursor.start(Buffer.from(text));
  cursor.peek();
  return cursor;
};

/** JSON with spaces or without, so that words begin anywhere. */
const texts = fc
  .tuple(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, 2, 3))
  .map(([value, indent]) => JSON.stringify(value, null, indent));

describe('passing over a value by its brackets', () => {
  it('ends where reading it strictly ends', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const strict = cursorAt(`${text} ,`);
        const fast = cursorAt(`${text} ,`);
        expect(skipValue(strict, true)).not.toBe(-1);
        expect(passValue(fast)).toBe(true);
        expect([fast.at, fast.depth]).toEqual([strict.at, strict.depth]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('counts the elements of an array as reading them does', () => {
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 20 }), (elements) => {
        const cursor = cursorAt(`[${elements.join(',')}]`);
        cursor.openArray();
        cursor.nextElement();
        expect(passElements(cursor)).toBe(elements.length);
        expect(cursor.nextElement()).toBe(false);
        expect([cursor.fault, cursor.depth, cursor.finish()]).toEqual(['', 0, true]);
      }),
      { numRuns: 2_000 },
    );
    const many = cursorAt(`[${new Array(10_000).fill('1.5').join(',')}]`);
    many.openArray();
    many.nextElement();
    expect(passElements(many)).toBe(10_000);
  });

  it.each([
    ['[1,2', 'an array has no end at byte 0'],
    ['{"a":1', 'an object has no end at byte 0'],
    ['["a', 'a string has no end'],
    [`${'['.repeat(13)}`, 'nested deeper than 12 levels'],
    [`${'{"a":'.repeat(13)}`, 'nested deeper than 12 levels'],
  ])('refuses %j', (text, fault) => {
    const cursor = cursorAt(text);
    expect(passValue(cursor)).toBe(false);
    expect(cursor.fault).toContain(fault);
  });

  it('refuses an open array that does not end, or nests too deep', () => {
    for (const [text, fault] of [
      ['[1,"a', 'a string has no end'],
      ['[1,2,3', 'an array has no end'],
      [`[1,${'{'.repeat(20)}`, 'nested deeper'],
    ] as const) {
      const cursor = cursorAt(text);
      cursor.openArray();
      cursor.nextElement();
      expect(passElements(cursor)).toBe(-1);
      expect(cursor.fault).toContain(fault);
    }
  });

  it('takes no object for an array', () => {
    const cursor = cursorAt('{}');
    expect(passArray(cursor)).toBe(false);
    expect(cursor.fault).toContain('expected an array of values');
  });
});
