import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PendingReplies, SilenceError } from '../../../../src/runtime/ipc/pending-replies.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type Step =
  | { readonly do: 'ask'; readonly timeoutMs: number }
  | { readonly do: 'answer' | 'refuse'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('ask' as const), timeoutMs: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ do: fc.constantFrom('answer' as const, 'refuse' as const), which: fc.nat(12) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 30 }) }),
);

describe('PendingReplies', () => {
  it('settles each question once, as a list of what was asked and when would', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const replies = new PendingReplies(4);
        const told: string[] = [];
        const model: { id: number; dueMs: number; fate: string }[] = [];
        let nowMs = 0;
        for (const each of steps) {
          if (each.do === 'ask') {
            const index = model.length;
            const open = model.filter(({ fate }) => fate === '').length;
            let id = 0;
            const asked = replies.ask(each.timeoutMs, (given) => (id = given));
            asked.then(
              (value) => (told[index] = `answer ${value as number}`),
              (error: Error) => (told[index] = error instanceof SilenceError ? 'silence' : error.message),
            );
            const fate = open >= 4 ? '4 questions wait already, the limit' : '';
            model.push({ id, dueMs: nowMs + each.timeoutMs, fate });
          } else if (each.do === 'pass') {
            nowMs += each.ms;
            for (const one of model) if (one.fate === '' && one.dueMs <= nowMs) one.fate = 'silence';
            await vi.advanceTimersByTimeAsync(each.ms);
          } else {
            const one = model[each.which];
            if (one === undefined || one.id === 0) continue;
            if (each.do === 'answer') replies.answer(one.id, each.which);
            else replies.refuse(one.id, 'no');
            if (one.fate === '') one.fate = each.do === 'answer' ? `answer ${each.which}` : 'no';
          }
        }
        replies.end('gone');
        await vi.advanceTimersByTimeAsync(0);
        expect(told).toEqual(model.map(({ fate }) => (fate === '' ? 'gone' : fate)));
        expect(replies.size).toBe(0);
        await expect(replies.ask(1, () => undefined)).rejects.toThrow('gone');
      }),
      { numRuns: 200 },
    );
  });
});
