import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findEmails } from '../../../src/guards/emails.ts';

function found(text: string): string[] {
  const spans = findEmails(text);
  return Array.from({ length: spans.length / 2 }, (_, i) => text.slice(spans[2 * i], spans[2 * i + 1]));
}

describe('findEmails', () => {
  it.each([
    ['write to bob@example.com.', ['bob@example.com']],
    ['<Bob.O_Brien+x%1@mail2.example.co.uk>', ['Bob.O_Brien+x%1@mail2.example.co.uk']],
    ['mailto:a@b.co?x', ['a@b.co']],
    ['josé@exämple.fr', ['josé@exämple.fr']],
    ['请联系bob@x.com谢谢', ['bob@x.com']],
    ['a@xn--80ak6aa92e.xn--p1ai!', ['a@xn--80ak6aa92e.xn--p1ai']],
    ['x@y.zz and u@v.ww', ['x@y.zz', 'u@v.ww']],
    ['a@b@c.de', ['b@c.de']],
    ['a@b.co@c.de', ['a@b.co']],
    ['a@b.co-d@e.fr', ['a@b.co', '-d@e.fr']],
    ['..bob@x.com', ['bob@x.com']],
    ['bob@x.com5', ['bob@x.com']],
    ['bob@x.com-', ['bob@x.com']],
    ['bob@x.com.5', ['bob@x.com']],
    ['𐐨@x.com', ['𐐨@x.com']],
  ])('finds the addresses in %s', (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it.each(['bob@localhost', '@example.com', 'bob@', 'bob@.com', 'bob@1.2.3.4', 'a @ b.co', 'x@y.z', '@', 'bob@x..com'])(
    'finds none in %s',
    (text) => {
      expect(found(text)).toEqual([]);
    },
  );

  it('finds every plain address between other words', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,12}$/);
    const top = fc.stringMatching(/^[a-z]{2,8}$/);
    fc.assert(
      fc.property(word, word, top, fc.constantFrom('', ' ', '(', '"', ':', '\n'), (local, domain, topLevel, edge) => {
        const address = `${local}@${domain}.${topLevel}`;
        expect(found(`see${edge === '' ? ' ' : edge}${address}${edge} now`)).toEqual([address]);
      }),
    );
  });

  it('agrees with a pattern on any text of its own characters', () => {
    const unit = fc.constantFrom('a', 'b', '1', '.', '-', '@', ' ', '_');
    const pattern = /[ab1_-][ab1._-]*@[ab1-]+(?:\.[ab1-]+)*?\.(?=[ab]{2})/;
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 24 }), (text) => {
        expect(found(text).length > 0).toBe(pattern.test(text));
      }),
      { numRuns: 5000 },
    );
  });
});
