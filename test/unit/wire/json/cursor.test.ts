import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonCursor, NO_KEY, STRANGER } from '../../../../src/wire/json/cursor.ts';
import { NameTable } from '../../../../src/wire/json/name-table.ts';
import { passArray, skipValue } from '../../../../src/wire/json/skip.ts';
import { readText } from './read-value.ts';

const DEPTH = 32;
/** What the cursor refuses by policy although `JSON.parse` takes it. */
const STRICTER = /comes twice|half a surrogate|not UTF-8|nested deeper|unknown keys/;

const cursor = new JsonCursor(DEPTH);
const parse = (text: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(text));
  } catch {
    return undefined;
  }
};
const skip = (text: Uint8Array): boolean => {
  const other = new JsonCursor(DEPTH);
  other.start(text);
  return skipValue(other, false) !== -1 && other.finish();
};

const texts = fc
  .tuple(fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }), fc.constantFrom(0, 1, 2, '\t', ' \r\n'))
  .map(([value, space]) => Buffer.from(JSON.stringify(value, null, space)));
const FRAGMENTS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u',
  '\\ud800',
  '\\n',
  '-',
  '+',
  '.',
  'e',
  'E9',
  '0',
  '00',
  '1',
  'true',
];
const SEEDS = [...FRAGMENTS, 'nul', 'NaN', 'Infinity', '/', '\t', ' ', '\u0000', '\u001f', 'é', '\ufeff', '"a":1,', '"a":'];
const mutants = fc
  .tuple(texts, fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...SEEDS)), { minLength: 1, maxLength: 3 }))
  .map(([text, edits]) => {
    let mutant = text;
    for (const [place, cut, insert] of edits) {
      const at = place % (mutant.length + 1);
      mutant = Buffer.concat([mutant.subarray(0, at), Buffer.from(insert), mutant.subarray(at + cut)]);
    }
    return mutant;
  });
const noise = fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes));

describe('JsonCursor', () => {
  it('reads every value as JSON.parse does', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const value = readText(cursor, text);
        if (value === undefined) expect(cursor.fault).toMatch(STRICTER);
        else expect(value).toEqual(parse(text));
        if (value !== undefined) expect(skip(text)).toBe(true);
      }),
      { numRuns: 1_500 },
    );
  });

  it('accepts of broken texts just those that JSON.parse accepts', () => {
    fc.assert(
      fc.property(fc.oneof(mutants, noise), (text) => {
        const value = readText(cursor, text);
        const other = parse(text);
        if (value !== undefined) expect(value).toEqual(other);
        else if (other !== undefined) expect(cursor.fault).toMatch(STRICTER);
        // Passing over is as strict as reading; only keys may come twice there.
        if (value !== undefined || /comes twice|unknown keys/.test(cursor.fault)) {
          if (other !== undefined) expect(skip(text)).toBe(true);
        } else expect(skip(text)).toBe(false);
      }),
      { numRuns: 6_000 },
    );
  });

  it('passes over an array by its brackets alone and ends where reading it ends', () => {
    fc.assert(
      fc.property(fc.oneof(texts, mutants), fc.nat(3), (text, spaces) => {
        cursor.start(Buffer.concat([Buffer.alloc(spaces, ' '), Buffer.from('['), text, Buffer.from('] , "]"')]));
        if (skipValue(cursor, false) === -1) return;
        const end = cursor.at;
        cursor.at = 0;
        expect(passArray(cursor)).toBe(true);
        expect(cursor.at).toBe(end);
      }),
      { numRuns: 2_000 },
    );
    for (const [text, fault] of [
      ['{}', `expected an array of values, found '{' at byte 0`],
      ['[1,"]', 'a string has no end at byte 3'],
      ['[[1]', 'an array has no end at byte 0'],
      ['['.repeat(33), 'nested deeper than 32 levels at byte 32'],
    ] as const) {
      cursor.start(Buffer.from(text));
      expect(passArray(cursor)).toBe(false);
      expect(cursor.fault).toBe(fault);
    }
  });

  it.each([
    ['', 'expected a digit, found the end at byte 0'],
    ['{', 'expected a key, found the end at byte 1'],
    ['{"a" 1}', `expected ":", found '1' at byte 5`],
    ['{"a":1 "b":2}', `expected "," or "}", found '"' at byte 7`],
    ['[1 2]', `expected "," or "]", found '2' at byte 3`],
    ['[1,]', `expected a digit, found ']' at byte 3`],
    ['[1]]', `expected nothing more, found ']' at byte 3`],
    ['[01]', 'a number begins with a needless zero at byte 1'],
    ['[1.]', `expected a digit, found ']' at byte 3`],
    ['["\u0001"]', 'a string holds a control character at byte 2'],
    ['["\\x"]', 'a string holds an unknown escape at byte 2'],
    ['["\\udc00"]', 'a string holds half a surrogate pair at byte 2'],
    ['["abc', 'a string has no end at byte 1'],
    ['\u0000', 'expected a digit, found byte 0x00 at byte 0'],
  ])('says what is wrong with %j and where', (text, fault) => {
    expect(readText(cursor, Buffer.from(text))).toBeUndefined();
    expect(cursor.fault).toBe(fault);
  });

  it('refuses bytes that are not UTF-8 and says where they begin', () => {
    for (const bytes of [
      [0x80],
      [0xc0, 0x80],
      [0xe0, 0x9f, 0xbf],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf0, 0x9f],
      [0xff],
    ]) {
      cursor.start(Buffer.concat([Buffer.from('["é😀'), Buffer.from(bytes)]));
      expect(cursor.fault).toBe('the text is not UTF-8 at byte 8');
    }
  });

  it('refuses a key that comes twice, however it is spelled', () => {
    const names = new NameTable(['inputs']);
    cursor.start(Buffer.from('{"inputs":1,"\\u0069nputs":2}'));
    cursor.openObject();
    expect(cursor.nextKey(names)).toBe(0);
    skipValue(cursor, false);
    expect(cursor.nextKey(names)).toBe(NO_KEY);
    expect(cursor.fault).toBe('key "inputs" comes twice at byte 12');
    expect(readText(cursor, Buffer.from('{"x":1,"y":2,"\\u0078":3}'))).toBeUndefined();
    expect(cursor.fault).toBe('key "x" comes twice at byte 13');
  });

  it('tells known keys from strangers and reads them in any order', () => {
    const names = new NameTable(['a', 'bb']);
    cursor.start(Buffer.from(' { "bb" : 1 , "b" : {"bb":2} , "a" : [] } '));
    cursor.openObject();
    const keys: number[] = [];
    for (let key = cursor.nextKey(names); key !== NO_KEY; key = cursor.nextKey(names)) {
      keys.push(key);
      skipValue(cursor, false);
    }
    expect(keys).toEqual([1, STRANGER, 0]);
    expect(cursor.finish()).toBe(true);
  });

  it('bounds the unknown keys of an object that is read and the keys of one that is skipped', () => {
    const keys = (count: number): Buffer =>
      Buffer.from(JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))));
    expect(readText(cursor, keys(64))).toBeDefined();
    expect(readText(cursor, keys(65))).toBeUndefined();
    expect(cursor.fault).toContain('more than 64 unknown keys in an object');
    expect(skip(keys(1_024))).toBe(true);
    expect(skip(keys(1_025))).toBe(false);
  });

  it('takes the depth it is given and not one level more', () => {
    const nested = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
    expect(readText(cursor, nested(DEPTH))).toBeDefined();
    expect(skip(nested(DEPTH))).toBe(true);
    expect(readText(cursor, nested(DEPTH + 1))).toBeUndefined();
    expect(cursor.fault).toBe('nested deeper than 32 levels at byte 32');
  });

  it('refuses a bomb of four million brackets before it has looked at them', () => {
    const bomb = Buffer.alloc(4_000_000, '[');
    const start = performance.now();
    expect(skip(bomb)).toBe(false);
    expect(performance.now() - start).toBeLessThan(250);
  });

  it('keeps nothing of the text when it stops', () => {
    cursor.start(Buffer.from('[1]'));
    cursor.stop();
    expect(cursor.bytes.length).toBe(0);
    expect(cursor.view.byteLength).toBe(0);
  });
});
