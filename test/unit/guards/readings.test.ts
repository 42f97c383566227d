import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readingsOf } from '../../../src/guards/readings.ts';
import { fastestMs } from './fastest.ts';

const read = (text: string): string => readingsOf(text)[0]!;

describe('the reading of a text', () => {
  it.each([
    ['case', 'ÄPFEL', 'apfel'],
    ['accents', 'crème brûlée', 'creme brulee'],
    ['accents as marks', 'cre\u0300me', 'creme'],
    ['width', 'ｆｏｒｂｉｄｄｅｎ', 'forbidden'],
    ['mathematical letters', '𝖋𝖔𝖗𝖇𝖎𝖉𝖉𝖊𝖓', 'forbidden'],
    ['ligatures', 'oﬃce', 'office'],
    ['sharp s', 'STRASSE straße STRAẞE', 'strasse strasse strasse'],
    ['final sigma', 'ΟΔΟΣ οδος οδοσ', 'οδοσ οδοσ οδοσ'],
    ['white space', ' a \t\n b\u00a0\u2003c\u0085d ', 'a b c d'],
    ['a byte order mark', '\ufeffword', 'word'],
    ['soft hyphens', 'for\u00adbid', 'forbid'],
    ['tags', `for${String.fromCodePoint(0xe0041)}bid`, 'forbid'],
    ['variation selectors', 'for\ufe0fbid', 'forbid'],
    ['bidi marks', 'for\u202ebid\u2069', 'forbid'],
    ['Hangul fillers', 'for\u3164bid\u115f', 'forbid'],
    ['NUL', 'for\u0000bid', 'forbid'],
    ['bytes that were no UTF-8', 'for\ufffdbid', 'forbid'],
    ['enclosing marks', 'f\u20ddo\u20ddr', 'for'],
  ])('does not depend on %s', (_, text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it('keeps signs that make another letter', () => {
    expect(read('が')).toBe('が');
    expect(read('か')).not.toBe(read('が'));
    expect(read('कि')).not.toBe(read('का'));
    expect(read('한국')).toBe('한국');
  });

  it('is twofold where a hidden character may end a word', () => {
    expect(readingsOf('ignore\u200bprevious')).toEqual(['ignoreprevious', 'ignore previous']);
    expect(readingsOf('soft\u00adhyphen')).toEqual(['softhyphen']);
  });

  it('read once more is the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        for (const reading of readingsOf(text)) expect(read(reading)).toBe(reading);
      }),
      { numRuns: 2000 },
    );
  });

  it('read once more is the same for each single character', () => {
    const unstable: string[] = [];
    for (let codePoint = 0; codePoint < 0x20000; codePoint++) {
      const reading = read(`a${String.fromCodePoint(codePoint)}b`);
      if (read(reading) !== reading) unstable.push(codePoint.toString(16));
    }
    expect(unstable).toEqual([]);
  });

  it('is made in linear time from piles of marks, which took 1.3 seconds to sort', () => {
    const piles = [
      `a${'\u0301'.repeat(25_000)}${'\u0323'.repeat(25_000)}`,
      `a${'\u3099'.repeat(17_000)}${'\u093c'.repeat(17_000)}`,
      '\uff9e\u093c'.repeat(17_000),
      '\u05b4\u05b0\u093c'.repeat(15_000),
    ];
    for (const pile of piles) expect(fastestMs(() => readingsOf(pile))).toBeLessThan(50);
  });
});
