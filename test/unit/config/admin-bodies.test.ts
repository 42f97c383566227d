import { describe, expect, it } from 'vitest';
import { issueKeyBody, parseBody, reasonBody } from '../../../src/config/admin-bodies.ts';
import { weightChangeBody } from '../../../src/config/plan-bodies.ts';

describe('a body of the admin API', () => {
  it('takes each scope of a key once', () => {
    expect(parseBody(issueKeyBody, { scopes: ['route:override', 'infer'] })).toMatchObject({
      body: { scopes: ['route:override', 'infer'] },
    });
    expect(parseBody(issueKeyBody, { scopes: ['infer', 'infer'] })).toBe('scopes: expected each scope once; found a list');
    expect(parseBody(issueKeyBody, { scopes: Array.from({ length: 5_000 }, () => 'infer') })).toMatch(/^scopes: Too big/);
  });

  it('takes weights of no more variants than a model could have', () => {
    const weightsOf = (count: number): unknown => ({
      expectedRevision: 1,
      weightsBp: Object.fromEntries(Array.from({ length: count }, (_, i) => [`v${i}`, 1])),
    });
    expect(parseBody(weightChangeBody, weightsOf(64))).toBeTypeOf('object');
    expect(parseBody(weightChangeBody, weightsOf(65))).toBe('weightsBp: expected at most 64 variants; found a map');
  });

  it('is refused for twenty of its mistakes, however many and long they are', () => {
    const models = Array.from({ length: 900 }, (_, i) => `wrong name ${i}`);
    const text = parseBody(issueKeyBody, { models }) as string;
    expect(text.split('; ').at(-1)).toBe('and 880 more');
    expect(text.length).toBeLessThan(20_000);
    const unknown = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}${'x'.repeat(1_000)}`, 1]));
    const other = parseBody(reasonBody, unknown) as string;
    expect(other.split('; ').at(-1)).toBe('and 80 more');
    expect(other.length).toBeLessThan(10_000);
  });
});
