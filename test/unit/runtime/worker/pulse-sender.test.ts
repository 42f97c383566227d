import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ToSupervisor, WorkerReport } from '../../../../src/runtime/ipc/messages.ts';
import { PulseSender } from '../../../../src/runtime/worker/pulse-sender.ts';

const REPORT: WorkerReport = { number: 1, metrics: 'a 1\n', usage: [], plans: [] };

let said: ToSupervisor['is'][];
let leave: (() => void)[];
let pulses: PulseSender;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  said = [];
  leave = [];
  pulses = new PulseSender(
    { isReady: () => true, counters: () => Promise.resolve(REPORT) },
    {
      say: (message) => said.push(message.is),
      sayWhole: (message) => {
        said.push(message.is);
        return new Promise((resolve) => leave.push(resolve));
      },
    },
  );
});
afterEach(() => {
  pulses.stop();
  vi.useRealTimers();
});

const count = (is: ToSupervisor['is']): number => said.filter((each) => each === is).length;

describe('PulseSender', () => {
  it('tells every second that the worker lives, and its figures with it', async () => {
    for (let second = 0; second < 10; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      leave.shift()?.();
    }
    expect([count('pulse'), count('report')]).toEqual([10, 10]);
  });

  it('keeps one report at most for a supervisor that stands still', async () => {
    await vi.advanceTimersByTimeAsync(60_000);
    expect([count('pulse'), count('report')]).toEqual([60, 1]);
    leave.shift()!();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(count('report')).toBe(2);
  });
});
