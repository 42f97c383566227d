import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonTexts } from '../../../../src/wire/json/json-texts.ts';

const SEED = 20_261;
const textsOf = (json: string): string[] => new JsonTexts(Buffer.from(json)).texts.map((text) => Buffer.from(text).toString());
const replaced = (json: string, change: (text: string) => string): string => {
  const texts = new JsonTexts(Buffer.from(json));
  const changed = texts.texts.map((text) => Buffer.from(change(Buffer.from(text).toString())));
  return Buffer.from(texts.replaced(changed)).toString();
};

/** Every string of a value, keys among them, in the order in which JSON.stringify writes them. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...stringsOf(inner)]);
}

const shouted = (value: unknown): unknown => {
  if (typeof value === 'string') return `${value}!`;
  if (Array.isArray(value)) return value.map(shouted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [`${key}!`, shouted(inner)]));
};

/** Without long whole numbers, which count as texts, and without a key that object literals treat as their prototype. */
const values = fc.jsonValue({ stringUnit: 'binary' }).filter((value) => !/\d{12}|__proto__/.test(JSON.stringify(value)));

describe('the texts in a JSON text', () => {
  it('are its strings and keys, as they read without escapes', () => {
    expect(textsOf('{"a\\u0040b":["x\\ny", "\\"", "\\\\", "\\ud83c\\udf89", 1, true, null], "":{"ü":-1.5e3}}')).toEqual([
      'a@b',
      'x\ny',
      '"',
      '\\',
      '🎉',
      '',
      'ü',
    ]);
  });

  it('are whole numbers too where they are long enough to be a card', () => {
    const numbers = '[4111111111111111,-411111111111,41111111111,4111111111111.5,411111111111e3,0.4111111111111111]';
    expect(textsOf(numbers)).toEqual(['4111111111111111', '-411111111111']);
  });

  it('become strings where they are changed, and all else stays as it was written', () => {
    const json = ' { "a" : 4111111111111111 , "b":"x\\u0040y\\n", "c":[1e3,"z"] }\n';
    expect(replaced(json, (text) => (/^\d+$|@/.test(text) ? `[${text.length}"\n]` : text))).toBe(
      ' { "a" : "[16\\"\\n]" , "b":"[4\\"\\n]", "c":[1e3,"z"] }\n',
    );
  });

  it('are those that JSON.parse finds, and give the same text when none changes', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(0, 2), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        expect(textsOf(json)).toEqual(stringsOf(value));
        expect(replaced(json, (text) => text)).toBe(json);
      }),
      { seed: SEED },
    );
  });

  it('leave JSON that says what was put in their place', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(JSON.parse(replaced(JSON.stringify(value), (text) => `${text}!`))).toEqual(shouted(value));
      }),
      { seed: SEED },
    );
  });
});
