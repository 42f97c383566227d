import { describe, expect, it } from 'vitest';
import { requestIdOf } from '../../../src/gateway/request-id.ts';

describe('request id', () => {
  it('is the caller’s own where it is safe to repeat', () => {
    for (const id of ['a', 'order-7.retry:2_b', 'x'.repeat(64)]) expect(requestIdOf(id)).toBe(id);
  });

  it.each(['', 'x'.repeat(65), 'two words', 'line\nbreak', 'quote"', 'é'])('is made where the caller states %j', (stated) => {
    expect(requestIdOf(stated)).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is another for each request', () => {
    expect(new Set(Array.from({ length: 5_000 }, () => requestIdOf(''))).size).toBe(5_000);
  });
});
