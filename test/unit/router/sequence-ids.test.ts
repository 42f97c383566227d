import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Params } from '../../../src/core/inference.ts';
import { SequenceIds, sequenceKey } from '../../../src/router/sequence-ids.ts';

const ids = new SequenceIds(Buffer.from('a secret of thirty-two characters'));
const of = (id: string | number | bigint): Params => new Map([['sequence_id', id]]);
const sent = (id: string | number | bigint, tenant = 'alpha', model = 'm', from = ids): unknown =>
  from.rewritten(of(id), tenant, model).get('sequence_id');

const RUNS = { seed: 31, numRuns: 2_000 };
const anyId = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }));
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,8}$/);

describe('SequenceIds', () => {
  it('gives the same caller the same sequence, and every other tenant and model another', () => {
    expect(sent('s')).toBe(sent('s'));
    const all = [sent('s'), sent('s', 'beta'), sent('s', 'alpha', 'n'), sent('t'), sent('s', 'alpham', ''), sent('alpha/m/s/s')];
    expect(new Set(all).size).toBe(all.length);
  });

  it('leaves a text a text, and a number a whole number that fits 63 bits and is not 0', () => {
    fc.assert(
      fc.property(anyId, (id) => {
        const given = sent(id);
        if (typeof id === 'string') expect(given).toMatch(/^[\w-]{43}$/);
        else expect(typeof given === 'bigint' && given > 0n && given < 2n ** 63n).toBe(true);
      }),
      RUNS,
    );
  });

  it('keeps 7 and "7" apart, and 7 and 7n together', () => {
    expect(sent(7)).toBe(sent(7n));
    expect(sent('7')).not.toBe(sent(7));
  });

  it('never gives two callers one sequence', () => {
    const caller = fc.record({ tenant: name, model: name, id: anyId });
    fc.assert(
      fc.property(caller, caller, (a, b) => {
        const same = a.tenant === b.tenant && a.model === b.model && a.id === b.id;
        expect(sent(a.id, a.tenant, a.model) === sent(b.id, b.tenant, b.model)).toBe(same);
      }),
      RUNS,
    );
  });

  it('never lets a caller land on another sequence by choosing what it has seen', () => {
    const seen = sent('s') as string;
    expect(sent(seen, 'beta')).not.toBe(seen);
    expect(sent(seen)).not.toBe(seen);
  });

  it('agrees with replicas that know the secret, and with no others', () => {
    expect(sent('s', 'alpha', 'm', new SequenceIds(Buffer.from('a secret of thirty-two characters')))).toBe(sent('s'));
    expect(sent('s', 'alpha', 'm', new SequenceIds(Buffer.from('another one of thirty-two letters')))).not.toBe(sent('s'));
  });

  it('leaves other parameters, and a request without a sequence, as they are', () => {
    const plain: Params = new Map([['priority', 1]]);
    expect(ids.rewritten(plain, 'alpha', 'm')).toBe(plain);
    const given: Params = new Map<string, string | boolean>([
      ['sequence_start', true],
      ['sequence_id', 's'],
    ]);
    expect(ids.rewritten(given, 'alpha', 'm').get('sequence_start')).toBe(true);
    expect(given.get('sequence_id')).toBe('s');
  });
});

describe('the sticky key of a sequence', () => {
  it('is of its own for each tenant and model, and the same on every replica', () => {
    const keys = [sequenceKey('alpha', 'm', 's'), sequenceKey('beta', 'm', 's'), sequenceKey('alpha', 'n', 's')];
    expect(new Set(keys).size).toBe(3);
    expect(keys[0]).toBe('alpha/m/s');
  });
});
