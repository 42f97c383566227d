import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonLine } from '../../../src/telemetry/json-line.ts';

/** A line with one text of every kind of character. */
function lineWith(value: string): string {
  const line = new JsonLine();
  line.open('"level":"info"');
  line.text('value', value);
  return line.close();
}

describe('JsonLine', () => {
  it('says what a parser of JSON reads back', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.integer({ min: 0, max: 40 }),
        (a, b, n, flag, limit) => {
          const line = new JsonLine();
          line.open('"level":"info"');
          line.text('a', a);
          line.clipped('b', b, limit);
          line.number('n', n);
          line.flag('flag', flag);
          line.raw('raw', '{"x":1}');
          expect(JSON.parse(line.close())).toEqual({ level: 'info', a, b: b.slice(0, limit), n, flag, raw: { x: 1 } });
        },
      ),
    );
  });

  it('is one line whatever the values hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const text = lineWith(value);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
        expect(text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
        expect(text.endsWith('}\n')).toBe(true);
      }),
    );
  });

  it('escapes what terminals obey and what turns text around', () => {
    expect(lineWith('\u001b[31m\u009b\u202e"\\')).toBe('{"level":"info","value":"\\u001b[31m\\u009b\\u202e\\"\\\\"}\n');
  });

  it('rounds numbers to whole ones', () => {
    const line = new JsonLine();
    line.open('"level":"info"');
    line.number('us', 12.6);
    expect(line.close()).toBe('{"level":"info","us":13}\n');
  });

  it('starts anew for the next line', () => {
    const line = new JsonLine();
    line.open('"a":1');
    line.text('secret', 'x');
    line.close();
    line.open('"b":2');
    expect(line.close()).toBe('{"b":2}\n');
  });
});
