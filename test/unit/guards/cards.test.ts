import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCards } from '../../../src/guards/cards.ts';

function found(text: string): string[] {
  const spans = findCards(text);
  return Array.from({ length: spans.length / 2 }, (_, i) => text.slice(spans[2 * i], spans[2 * i + 1]));
}

function checkDigit(digits: string): string {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const doubled = Number(digits[digits.length - 1 - i]) * (i % 2 === 0 ? 2 : 1);
    sum += Math.floor(doubled / 10) + (doubled % 10);
  }
  return String((10 - (sum % 10)) % 10);
}

/** Digits of a card with the right check digit. */
const card = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 11, maxLength: 17 }))
  .map(([first, rest]) => `${first}${rest.join('')}`)
  .map((digits) => digits + checkDigit(digits));

describe('findCards', () => {
  it.each([
    ['a Visa card', '4111111111111111'],
    ['groups with spaces', '4111 1111 1111 1111'],
    ['groups with dashes', '5500-0000-0000-0004'],
    ['American Express', '3782 822463 10005'],
    ['Diners Club', '3056 930902 5904'],
    ['13 digits', '4222222222222'],
    ['19 digits', '6304000000000000000'],
    ['pairs', '41 11 11 11 11 11 11 11'],
  ])('finds %s', (_, number) => {
    expect(found(`pay with ${number}, please`)).toEqual([number]);
  });

  it.each([
    ['a wrong check digit', '4111111111111112'],
    ['12 digits', '411111111116'],
    ['20 digits in one run', '41111111111111111111'],
    ['a leading zero', '0000000000000000'],
    ['two separators', '4111  1111  1111  1111'],
    ['a decimal fraction', '0.4111111111111111'],
    ['a UUID', '550e8400-e29b-41d4-a716-446655440000'],
  ])('does not take %s for a card', (_, text) => {
    expect(found(text)).toEqual([]);
  });

  it('finds a card beside other numbers', () => {
    expect(found('order 12 4111111111111111 5')).toEqual(['4111111111111111']);
    expect(found('call 555 4111 1111 1111 1111 123')).toEqual(['4111 1111 1111 1111']);
    expect(found('4111111111111111 5500000000000004')).toEqual(['4111111111111111', '5500000000000004']);
    expect(found('4111111111111111.5500000000000004')).toEqual(['4111111111111111', '5500000000000004']);
  });

  it('does not take a table of years or of counts for cards', () => {
    const years = Array.from({ length: 400 }, (_, i) => 1800 + (i % 230)).join(' ');
    const counts = Array.from({ length: 400 }, (_, i) => (i * 37) % 100).join(' ');
    expect(found(years)).toEqual([]);
    expect(found(counts)).toEqual([]);
  });

  it('finds every card however its digits are grouped, when it stands alone', () => {
    const gaps = fc.array(fc.constantFrom('', '', ' ', '-'), { minLength: 19, maxLength: 19 });
    fc.assert(
      fc.property(card, gaps, (digits, gap) => {
        const text = Array.from(digits, (digit, i) => (i === digits.length - 1 ? digit : digit + gap[i]!)).join('');
        expect(found(`a ${text} b`)).toEqual([text]);
      }),
      { numRuns: 1000 },
    );
  });

  it('finds no card with one digit changed', () => {
    fc.assert(
      fc.property(card, fc.nat(), fc.integer({ min: 1, max: 9 }), (digits, at, by) => {
        const index = at % digits.length;
        const changed = digits.slice(0, index) + String((Number(digits[index]) + by) % 10) + digits.slice(index + 1);
        expect(found(changed)).toEqual([]);
      }),
    );
  });

  it('leaves nothing behind that it would find in a second run', () => {
    const unit = fc.oneof(
      { weight: 6, arbitrary: fc.stringMatching(/^[0-9]{1,7}$/) },
      { weight: 4, arbitrary: fc.constantFrom(' ', '-', '.', '. ', 'x') },
      { weight: 2, arbitrary: card },
      { weight: 2, arbitrary: fc.constantFrom('4111 1111 1111 1111', '3782 822463 10005') },
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 16 }), (parts) => {
        const text = parts.join('');
        const spans = findCards(text);
        let redacted = '';
        let kept = 0;
        for (let i = 0; i < spans.length; i += 2) {
          expect(spans[i]).toBeGreaterThanOrEqual(kept);
          redacted += `${text.slice(kept, spans[i])}[card]`;
          kept = spans[i + 1]!;
        }
        expect(found(redacted + text.slice(kept))).toEqual([]);
      }),
      { numRuns: 5000 },
    );
  });
});
