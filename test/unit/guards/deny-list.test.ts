import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denyListGuard } from '../../../src/config/guard-schema.ts';
import { Ruling } from '../../../src/core/guard.ts';
import { DenyListGuard } from '../../../src/guards/deny-list.ts';
import { Subject } from '../../../src/guards/subject.ts';
import { guardContract } from '../../support/contracts/guard-contract.ts';
import { textTensor } from '../../support/guard-tensors.ts';
import { fastestMs, filled } from './fastest.ts';

const configOf = (phrases: readonly string[], tensors: readonly string[] = []) =>
  denyListGuard.parse({ kind: 'denyList', name: 'words', phrases, tensors });

function ruleOn(phrases: readonly string[], ...texts: string[]): string {
  const subject = new Subject([textTensor('text', texts)]);
  const ruling = new DenyListGuard(configOf(phrases)).check(subject);
  expect(ruling).toBe(subject.rule === '' ? Ruling.Allow : Ruling.Block);
  return subject.rule;
}

guardContract('DenyListGuard', {
  config: (tensors) => configOf(['forbidden'], tensors),
  ruling: Ruling.Block,
  offending: (name, shape) => textTensor(name, ['a forbidden word'], shape),
  innocent: (name, shape) => textTensor(name, ['a word'], shape),
  reads: 'BYTES',
  cannotRead: 'FP32',
  any: fc.array(fc.string({ unit: 'binary' })).map((texts) => textTensor('any', texts)),
});

describe('DenyListGuard', () => {
  const phrases = ['Forbidden', 'Crème Brûlée', 'ignore all previous'];

  it('names the phrase by its place and not by its words', () => {
    expect(ruleOn(phrases, 'nothing here', 'a forbidden thing')).toBe('phrase-1');
    expect(ruleOn(phrases, 'one creme  BRULEE, please')).toBe('phrase-2');
  });

  it('finds phrases in every disguise', () => {
    const disguises = [
      'F\u00d3RBIDDEN',
      'for\u200bbid\u200dden',
      'ｆｏｒｂｉｄｄｅｎ',
      'f\u0336o\u0336r\u0336bidden',
      `for${String.fromCodePoint(0xe0061)}bidden`,
      'ignore\u00a0all\u2003previous',
      'ignore\u200ball\u200bprevious',
      'ignore\n\n all\tprevious',
    ];
    for (const text of disguises) expect([text, ruleOn(phrases, text)]).not.toContain('');
  });

  it('lets words pass that only contain a phrase', () => {
    expect(ruleOn(['ass'], 'the class passes')).toBe('');
  });

  it('finds a phrase between bytes that are no UTF-8', () => {
    const data = Buffer.from([0, 0, 0, 0, ...Buffer.from('for'), 0xff, ...Buffer.from('bidden')]);
    data.writeUInt32LE(data.length - 4, 0);
    const subject = new Subject([{ name: 'text', datatype: 'BYTES', shape: [1], data }]);
    expect(new DenyListGuard(configOf(phrases)).check(subject)).toBe(Ruling.Block);
  });

  it('only flags when config says so', () => {
    const config = denyListGuard.parse({ kind: 'denyList', name: 'words', phrases: ['bad'], action: 'flag' });
    expect(new DenyListGuard(config).check(new Subject([textTensor('text', ['bad'])]))).toBe(Ruling.Flag);
  });

  it('refuses a list with a phrase that cannot be seen', () => {
    expect(() => new DenyListGuard(configOf(['bad', '\u200b']))).toThrow(
      'guard "words": phrase 2 of its list has no visible character',
    );
  });

  it('stays linear on 100 KB of hostile text under ten thousand phrases', () => {
    const nested = Array.from({ length: 200 }, (_, i) => 'a'.repeat(i + 2));
    const steps = Array.from({ length: 400 }, (_, i) => 'b'.repeat(1 + (i % 20) * 6) + '!'.repeat(1 + Math.floor(i / 20) * 6));
    const many = Array.from({ length: 9_400 }, (_, i) => `phrase number ${i} of the list`);
    const guard = new DenyListGuard(configOf([...nested, ...steps, ...many]));
    const hostile = [
      `${filled('a')}x`,
      'c! '.repeat(3),
      filled(`x${'b'.repeat(128)}${'!'.repeat(127)}`),
      filled('phrase number '),
      filled('\ufdfa'),
      filled('Σ.'),
    ];
    for (const text of hostile) {
      expect(fastestMs(() => guard.check(new Subject([textTensor('text', [text])])))).toBeLessThan(75);
    }
  });
});
