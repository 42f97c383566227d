import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json, problem } from '../../../src/admin/admin-answer.ts';
import { IdempotentAnswers } from '../../../src/admin/idempotent-answers.ts';

const LIMITS = { keepMs: 1_000, maxEntries: 4, maxBytes: 4_000 };

const step = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  digest: fc.constantFrom('x', 'y'),
  outcome: fc.constantFrom('done', 'refused', 'nothing', 'late'),
  size: fc.integer({ min: 0, max: 2_000 }),
  waitMs: fc.integer({ min: 0, max: 600 }),
});

describe('answers that are kept by their idempotency key', () => {
  it('are those of a model that keeps everything, or are forgotten, and stay within their bounds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let nowMs = 0;
        const kept = new IdempotentAnswers(LIMITS, () => nowMs);
        const model = new Map<string, { digest: string; body: string; atMs: number } | { digest: string; runs: true }>();
        for (const { key, digest, outcome, size, waitMs } of steps) {
          nowMs += waitMs;
          const known = kept.begin(key, digest);
          const entry = model.get(key);
          if (entry !== undefined && 'runs' in entry) {
            expect(known.is).toBe(entry.digest === digest ? 'running' : 'other');
            continue;
          }
          const alive = entry !== undefined && nowMs < entry.atMs + LIMITS.keepMs;
          if (known.is === 'done') {
            expect([alive, entry?.digest, known.answer.body]).toEqual([true, digest, entry?.body]);
          } else if (known.is === 'other') {
            expect([alive, entry?.digest === digest]).toEqual([true, false]);
          } else {
            expect(known.is).toBe('new');
            if (outcome === 'late') {
              model.set(key, { digest, runs: true });
              continue;
            }
            const answer = json(200, 'z'.repeat(size));
            kept.settle(key, digest, outcome === 'done' ? answer : outcome === 'refused' ? problem(409, 'c', 'd') : null);
            if (outcome === 'done') model.set(key, { digest, body: answer.body, atMs: nowMs });
            else model.delete(key);
          }
          const running = [...model.values()].filter((each) => 'runs' in each).length;
          expect(kept.size).toBeLessThanOrEqual(Math.max(LIMITS.maxEntries, running));
          expect(kept.usedBytes).toBeLessThanOrEqual(Math.max(LIMITS.maxBytes, running * 512));
        }
      }),
      { seed: 4_242 },
    );
  });

  it('keep the one that was used last', () => {
    const kept = new IdempotentAnswers(LIMITS, () => 0);
    for (const key of ['a', 'b', 'c', 'd']) {
      kept.begin(key, 'x');
      kept.settle(key, 'x', json(200, key));
    }
    expect(kept.begin('a', 'x').is).toBe('done');
    kept.begin('e', 'x');
    expect([kept.begin('b', 'x').is, kept.begin('a', 'x').is]).toEqual(['new', 'done']);
  });
});
