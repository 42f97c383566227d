import { describe, expect, it } from 'vitest';
import { type GuardConfig, guard } from '../../../src/config/guard-schema.ts';
import { Ruling } from '../../../src/core/guard.ts';
import { buildChain } from '../../../src/guards/chain.ts';
import { policyOf } from '../../../src/guards/policy.ts';
import { inspectionOf, textsOf, textTensor } from '../../support/guard-tensors.ts';

const redact = guard.parse({ kind: 'pii', name: 'personal' });
const denyMail = guard.parse({ kind: 'denyList', name: 'no-mail', phrases: ['example.com'] });
const flagMail = guard.parse({ kind: 'denyList', name: 'mail', phrases: ['example.com'], action: 'flag' });
const flagCats = guard.parse({ kind: 'denyList', name: 'cats', phrases: ['cat'], action: 'flag' });

function run(configs: readonly GuardConfig[], text: string) {
  const rulings: (string | number)[] = [];
  const chain = buildChain(configs, { model: 'demo', side: 'input', onRuling: (name, ruling) => rulings.push(name, ruling) })!;
  const inspection = inspectionOf([textTensor('text', [text])]);
  const ruling = chain.inspect(inspection);
  return { ruling, rulings, inspection, text: textsOf(inspection.tensors[0]!)[0] };
}

describe('buildChain', () => {
  it('gives no chain without guards', () => {
    expect(buildChain([], { model: 'demo', side: 'input', onRuling: () => {} })).toBeNull();
  });

  it('lets each guard see what those before it rewrote', () => {
    expect(run([redact, denyMail], 'bob@example.com').ruling).toBe(Ruling.Rewrite);
    expect(run([denyMail, redact], 'bob@example.com').ruling).toBe(Ruling.Block);
    // The first guard has folded the text already; the last must not judge by that.
    expect(run([flagMail, redact, denyMail], 'bob@example.com').rulings.slice(4)).toEqual(['no-mail', Ruling.Allow]);
  });

  it('stops at the guard that blocks and rewrites nothing then', () => {
    const { ruling, rulings, inspection, text } = run([redact, denyMail, flagCats], 'a cat, x@y.org, and example.com');
    expect(ruling).toBe(Ruling.Block);
    expect(rulings).toEqual(['personal', Ruling.Rewrite, 'no-mail', Ruling.Block]);
    expect([inspection.guard, inspection.rule]).toEqual(['no-mail', 'phrase-1']);
    expect(text).toBe('a cat, x@y.org, and example.com');
  });

  it('notes flags and goes on', () => {
    const { ruling, rulings, inspection, text } = run([flagCats, redact], 'a cat wrote to x@y.org');
    expect(ruling).toBe(Ruling.Rewrite);
    expect(rulings).toEqual(['cats', Ruling.Flag, 'personal', Ruling.Rewrite]);
    expect(inspection.flags).toEqual(['cats']);
    expect([inspection.guard, inspection.rule]).toEqual(['personal', 'email']);
    expect(text).toBe('a cat wrote to [email]');
  });

  it('names model, side and guard when a guard cannot be built', () => {
    const broken = guard.parse({ kind: 'denyList', name: 'words', phrases: ['\u200b'] });
    expect(() => buildChain([broken], { model: 'demo', side: 'output', onRuling: () => {} })).toThrow(
      'output guards of model "demo": guard "words": phrase 1',
    );
  });
});

describe('the policy of a chain', () => {
  it('does not depend on the order of keys', () => {
    const reversed = Object.fromEntries(Object.entries(redact).reverse()) as GuardConfig;
    expect(policyOf([reversed])).toBe(policyOf([redact]));
  });

  it('changes with every setting, name and order', () => {
    const chains: GuardConfig[][] = [
      [redact, flagCats],
      [flagCats, redact],
      [redact],
      [{ ...redact, name: 'other' }],
      [{ ...redact, failClosed: false }],
      [{ ...redact, tensors: ['text'] }],
      [guard.parse({ kind: 'denyList', name: 'cats', phrases: ['cat', 'dog'] })],
      [guard.parse({ kind: 'denyList', name: 'cats', phrases: ['dog', 'cat'] })],
    ];
    expect(new Set(chains.map(policyOf)).size).toBe(chains.length);
    expect(policyOf([redact])).toMatch(/^[0-9a-f]{64}$/);
  });
});
