import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWordEdge } from '../../../src/guards/characters.ts';
import { PhraseAutomaton } from '../../../src/guards/phrase-automaton.ts';

/** Whether the phrase stands in the text as whole words, by looking at every place. */
function standsIn(text: string, phrase: string): boolean {
  for (let at = text.indexOf(phrase); at !== -1; at = text.indexOf(phrase, at + 1)) {
    if (isWordEdge(text, at) && isWordEdge(text, at + phrase.length)) return true;
  }
  return false;
}

describe('PhraseAutomaton', () => {
  it('finds phrases as whole words only', () => {
    const automaton = new PhraseAutomaton(['bad', 'very bad', 'c++']);
    expect(automaton.find('this is bad.')).toBe(0);
    expect(automaton.find('badminton is bade')).toBe(-1);
    expect(automaton.find('c++ and c')).toBe(2);
    expect(automaton.find('my_bad_habit')).toBe(0);
    expect(automaton.find('')).toBe(-1);
  });

  it('finds a short phrase in the tail of a longer one that does not stand there', () => {
    const automaton = new PhraseAutomaton(['a b c d', 'b c']);
    expect(automaton.find('a b c e')).toBe(1);
  });

  it('finds phrases anywhere in scripts without spaces', () => {
    expect(new PhraseAutomaton(['禁止']).find('这是禁止的')).toBe(0);
    expect(new PhraseAutomaton(['금지어']).find('금지어를')).toBe(0);
  });

  it('takes letters outside the first plane for letters', () => {
    const automaton = new PhraseAutomaton(['bad']);
    expect(automaton.find('bad𐐨')).toBe(-1);
    expect(automaton.find('𐐨bad')).toBe(-1);
    expect(automaton.find('😀bad😀')).toBe(0);
  });

  it('agrees with looking for each phrase at every place', () => {
    const unit = fc.constantFrom('a', 'b', 'c', ' ', '-', '禁', '𐐨', '😀');
    const phrases = fc.array(fc.string({ unit, minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(phrases, fc.string({ unit, maxLength: 40 }), (list, text) => {
        const found = new PhraseAutomaton(list).find(text);
        const expected = list.filter((phrase) => standsIn(text, phrase));
        if (found === -1) expect(expected).toEqual([]);
        else expect(expected).toContain(list[found]);
      }),
      { numRuns: 3000 },
    );
  });
});
