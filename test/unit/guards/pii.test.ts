import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PiiGuardConfig, piiGuard } from '../../../src/config/guard-schema.ts';
import { Ruling } from '../../../src/core/guard.ts';
import { PiiGuard } from '../../../src/guards/pii.ts';
import { Subject } from '../../../src/guards/subject.ts';
import { guardContract } from '../../support/contracts/guard-contract.ts';
import { inspectionOf, textsOf, textTensor } from '../../support/guard-tensors.ts';
import { fastestMs, filled } from './fastest.ts';

const CARD = '4111 1111 1111 1111';

const configOf = (settings: Partial<PiiGuardConfig> = {}) => piiGuard.parse({ kind: 'pii', name: 'personal', ...settings });

function redacted(text: string, settings: Partial<PiiGuardConfig> = {}): string {
  const { tensors } = inspectionOf([textTensor('text', [text])]);
  const subject = new Subject(tensors);
  if (new PiiGuard(configOf(settings)).check(subject) === Ruling.Rewrite) subject.accept();
  subject.commit();
  return textsOf(tensors[0]!)[0]!;
}

/** Texts rich in what the guard looks for, disguised and not. */
const unit = fc.oneof(
  fc.constantFrom(
    '4111111111111111',
    CARD,
    '12 34',
    '5',
    'bob@x.com',
    '@',
    '.',
    '-',
    ' ',
    'a',
    '\u200b',
    '４１１１',
    '@y.org',
    '\ufffd',
    '𝟜',
    '😀',
  ),
  fc.stringMatching(/^[0-9]{1,8}$/),
  fc.string({ unit: 'binary', maxLength: 2 }),
);
const texts = fc.array(unit, { maxLength: 14 }).map((parts) => parts.join(''));

guardContract('PiiGuard', {
  config: (tensors) => configOf({ tensors: [...tensors] }),
  ruling: Ruling.Rewrite,
  offending: (name, shape) => textTensor(name, ['mail bob@example.com'], shape),
  innocent: (name, shape) => textTensor(name, ['no mail'], shape),
  reads: 'BYTES',
  cannotRead: 'FP32',
  any: fc.array(texts, { maxLength: 4 }).map((list) => textTensor('any', list)),
});

guardContract('PiiGuard that blocks', {
  config: (tensors) => configOf({ tensors: [...tensors], action: 'block' }),
  ruling: Ruling.Block,
  offending: (name, shape) => textTensor(name, [CARD], shape),
  innocent: (name, shape) => textTensor(name, ['no card'], shape),
  reads: 'BYTES',
  cannotRead: 'INT64',
  any: fc.array(texts, { maxLength: 4 }).map((list) => textTensor('any', list)),
});

describe('PiiGuard', () => {
  it('redacts addresses and cards and nothing around them', () => {
    expect(redacted(`Dear bob@example.com, your card ${CARD} expired.`)).toBe('Dear [email], your card [card] expired.');
  });

  it('redacts look-alike characters in the original text', () => {
    expect(redacted('«４１１１－１１１１－１１１１－１１１１» été')).toBe('«[card]» été');
    expect(redacted('4111\u200b1111\u00ad1111\u20601111!')).toBe('[card]!');
    expect(redacted('𝟜111 1111 1111 1111')).toBe('[card]');
    expect(redacted('٤١١١ ١١١١ ١١١١ ١١١١')).toBe('[card]');
    expect(redacted('4111\u20111111\u00a01111\u30001111')).toBe('[card]');
    expect(redacted('ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ')).toBe('[email]');
    expect(redacted('bo\u200bb@exam\ufffdple。com')).toBe('[email]');
  });

  it('leaves hidden characters outside of what it redacts', () => {
    expect(redacted('\u200bbob@x.com\u200b 😀')).toBe('\u200b[email]\u200b 😀');
  });

  it('looks only for what config says', () => {
    const text = `bob@example.com ${CARD}`;
    expect(redacted(text, { detect: ['email'] })).toBe(`[email] ${CARD}`);
    expect(redacted(text, { detect: ['paymentCard'] })).toBe('bob@example.com [card]');
  });

  it('redacts the whole card when an address seems to begin inside it', () => {
    expect(redacted(`${CARD}@example.com`)).toBe('[card]@example.com');
  });

  it('redacts a card that only the number in an address kept from being one', () => {
    expect(redacted('12345 67890 102 4567@example.com')).toBe('[card] [email]');
  });

  it('flags or blocks without touching the text', () => {
    for (const [action, ruling] of [
      ['flag', Ruling.Flag],
      ['block', Ruling.Block],
    ] as const) {
      const tensor = textTensor('text', ['nothing', CARD]);
      const subject = new Subject([tensor]);
      expect(new PiiGuard(configOf({ action })).check(subject)).toBe(ruling);
      expect(subject.rule).toBe('paymentCard');
      subject.accept();
      subject.commit();
      expect(subject.tensors[0]).toBe(tensor);
    }
  });

  it('keeps the bytes of elements with nothing to redact, even when they are no UTF-8', () => {
    const binary = Buffer.from([3, 0, 0, 0, 0xff, 0xfe, 0x80]);
    const data = Buffer.concat([binary, textTensor('', ['bob@x.com']).data]);
    const inspection = inspectionOf([{ name: 'text', datatype: 'BYTES', shape: [2], data }]);
    const subject = new Subject(inspection.tensors);
    new PiiGuard(configOf()).check(subject);
    subject.accept();
    subject.commit();
    expect(Buffer.from(inspection.tensors[0]!.data.subarray(0, 7)).equals(binary)).toBe(true);
    expect(inspection.tensors[0]!.shape).toEqual([2]);
  });

  it('finds nothing in what it has redacted', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const once = redacted(text);
        expect(redacted(once)).toBe(once);
      }),
      { numRuns: 5000 },
    );
  });

  it('flags exactly the texts that it would redact', () => {
    const guard = new PiiGuard(configOf({ action: 'flag' }));
    fc.assert(
      fc.property(texts, (text) => {
        const isFlagged = guard.check(new Subject([textTensor('text', [text])])) === Ruling.Flag;
        expect(isFlagged).toBe(redacted(text) !== textsOf(textTensor('text', [text]))[0]);
      }),
      { numRuns: 1000 },
    );
  });

  it('stays linear on 100 KB of hostile text', () => {
    const hostile = ['1 ', '4', '4111 ', 'a@', 'a@b.', '4\u200b', '\u{1d7ce}', '4111111111111111 ', 'bob@x.com '].map(filled);
    const guard = new PiiGuard(configOf());
    for (const text of [...hostile, `${filled('a')}@`, `a@${filled('a.')}`, `a@${filled('-')}`]) {
      expect(fastestMs(() => guard.check(new Subject([textTensor('text', [text])])))).toBeLessThan(75);
    }
  });
});
