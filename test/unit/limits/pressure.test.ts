import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pressure } from '../../../src/limits/pressure.ts';
import { memoryLimitBytes, ProcessReader } from '../../../src/limits/process-reading.ts';
import { THRESHOLDS } from '../../support/fake-pressure.ts';

const nothing = (): void => undefined;

/** The level after each reading of memory share and loop delay. */
function levels(readings: readonly (readonly [memoryShare: number, loopDelayMs: number])[]): number[] {
  let reading = { memoryShare: 0, loopDelayMs: 0 };
  const pressure = new Pressure(THRESHOLDS, () => reading, nothing);
  return readings.map(([memoryShare, loopDelayMs]) => {
    reading = { memoryShare, loopDelayMs };
    pressure.poll();
    return pressure.level;
  });
}
const memory = (...shares: number[]): number[] => levels(shares.map((share) => [share, 0] as const));
const loop = (...delaysMs: number[]): number[] => levels(delaysMs.map((delayMs) => [0, delayMs] as const));

describe('Pressure', () => {
  it('rises with memory, at once', () => {
    expect(memory(0.5, 0.849, 0.85, 0.92, 0.95, 0.5)).toEqual([0, 0, 1, 2, 3, 0]);
    expect(memory(0.99)).toEqual([3]);
  });

  it('falls a little below where it rose', () => {
    expect(memory(0.95, 0.94, 0.929, 0.92, 0.899, 0.84, 0.829)).toEqual([3, 3, 2, 2, 1, 1, 0]);
    expect(memory(0.94, 0.95, 0.92, 0.94, 0.95)).toEqual([2, 3, 2, 2, 3]);
  });

  it('refuses work for a late event loop, but not for a single late turn', () => {
    expect(loop(900, 100, 900, 900, 300, 249, 300, 249, 249)).toEqual([0, 0, 0, 3, 3, 3, 3, 3, 0]);
  });

  it('says what it is that makes it refuse', () => {
    let reading = { memoryShare: 0.9, loopDelayMs: 900 };
    const pressure = new Pressure(THRESHOLDS, () => reading, nothing);
    for (let i = 0; i < 2; i++) pressure.poll();
    expect([pressure.level, pressure.reason, pressure.memoryShare]).toEqual([3, 'event_loop', 0.9]);
    reading = { memoryShare: 0.97, loopDelayMs: 900 };
    pressure.poll();
    expect(pressure.reason).toBe('memory');
  });

  it('asks for a collection at each reading for whose memory new work is refused, and at no other', () => {
    let collections = 0;
    let reading = { memoryShare: 0, loopDelayMs: 900 };
    const pressure = new Pressure(
      THRESHOLDS,
      () => reading,
      () => collections++,
    );
    const asked = [0.94, 0.94, 0.95, 0.94, 0.92, 0.96].map((memoryShare) => {
      reading = { memoryShare, loopDelayMs: 900 };
      pressure.poll();
      return collections;
    });
    expect(pressure.level).toBe(3);
    expect(asked).toEqual([0, 0, 1, 2, 2, 3]);
  });

  it('is, whatever came before, at least the level of its memory now, and at most that of two hundredths more', () => {
    const naive = (share: number): number => (share >= 0.95 ? 3 : share >= 0.92 ? 2 : share >= 0.85 ? 1 : 0);
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.7, max: 1, noNaN: true }), { maxLength: 100, size: 'max' }), (shares) => {
        memory(...shares).forEach((level, i) => {
          expect(level).toBeGreaterThanOrEqual(naive(shares[i]!));
          expect(level).toBeLessThanOrEqual(naive(shares[i]! + 0.02 + 1e-9));
        });
      }),
      { seed: 20_260 },
    );
  });
});

describe('ProcessReader', () => {
  it('reads shares and delays of this process', () => {
    const reader = new ProcessReader(memoryLimitBytes());
    const { memoryShare, loopDelayMs } = reader.read();
    reader.close();
    expect(memoryShare).toBeGreaterThan(0);
    expect(memoryShare).toBeLessThan(1);
    expect(loopDelayMs).toBeGreaterThanOrEqual(0);
  });

  it('counts buffers, which are outside the heap', () => {
    const reader = new ProcessReader(1e9);
    const before = reader.read().memoryShare;
    const buffer = Buffer.alloc(300e6, 1);
    expect(reader.read().memoryShare).toBeGreaterThan(before + 0.2);
    expect(buffer.length).toBe(300e6);
    reader.close();
  });
});
