import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guard } from '../../../src/config/guard-schema.ts';
import type { Inspection } from '../../../src/core/guard.ts';
import { buildOffloadedChain } from '../../../src/guards/offloaded-chain.ts';
import { inspectionOf, numericTensor, textTensor } from '../../support/guard-tensors.ts';
import { AsideOffload, IN_PLACE } from '../../support/offloads.ts';

const GUARDS = [
  { kind: 'pii', name: 'no-pii', action: 'redact' },
  { kind: 'denyList', name: 'no-words', phrases: ['bad word'], action: 'flag' },
  { kind: 'denyList', name: 'no-entry', phrases: ['very bad'] },
  { kind: 'bounds', name: 'range', min: 0, max: 1, action: 'block' },
].map((config) => guard.parse(config));

const nobody = { call: null };
const words = fc.constantFrom('fine', 'bad word', 'very bad', 'a@b.co', '4111 1111 1111 1111', 'é', '');
const text = fc.array(words, { maxLength: 5 }).map((parts) => parts.join(' '));

async function inspected(offload: typeof IN_PLACE, texts: readonly string[], score: number): Promise<unknown> {
  const rulings: unknown[] = [];
  const options = { model: 'demo', side: 'input' as const, onRuling: (...one: unknown[]) => rulings.push(one) };
  const chain = buildOffloadedChain(GUARDS, options, offload)!;
  const inspection: Inspection = inspectionOf([
    textTensor('text', texts),
    numericTensor('x', 'FP32', Float32Array.from([score])),
  ]);
  const given = [...inspection.tensors];
  const ruling = await chain.inspect(inspection, nobody);
  const kept = inspection.tensors.map((tensor, i) => tensor === given[i]);
  return { ...inspection, tensors: inspection.tensors.map((one) => ({ ...one, data: [...one.data] })), ruling, rulings, kept };
}

describe('a chain whose large tensors are looked at aside', () => {
  it('rules, flags, counts and rewrites as it does in place', async () => {
    const aside = new AsideOffload(0);
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 3 }), fc.constantFrom(0.5, 2), async (texts, score) => {
        expect(await inspected(aside, texts, score)).toEqual(await inspected(IN_PLACE, texts, score));
      }),
    );
    expect(aside.ran.length).toBeGreaterThan(0);
  });

  it('has the same policy, and looks at small ones at once', () => {
    const chain = (offload: typeof IN_PLACE) =>
      buildOffloadedChain(GUARDS, { model: 'demo', side: 'input', onRuling: () => {} }, offload)!;
    expect(chain(new AsideOffload(0)).policy).toBe(chain(IN_PLACE).policy);
    expect(chain(new AsideOffload(100)).inspect(inspectionOf([textTensor('text', ['fine'])]), nobody)).toBe(0);
    // Sixteen bytes of numbers take as long as one of text.
    const numbers = inspectionOf([numericTensor('x', 'FP32', new Float32Array(300))]);
    expect(chain(new AsideOffload(100)).inspect(numbers, nobody)).toBe(0);
    expect(chain(new AsideOffload(50)).inspect(numbers, nobody)).toBeInstanceOf(Promise);
  });
});
