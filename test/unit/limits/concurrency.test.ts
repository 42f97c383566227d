import { describe, expect, it } from 'vitest';
import { LocalConcurrencyCap } from '../../../src/limits/concurrency.ts';
import { concurrencyCapContract } from '../../support/contracts/concurrency-cap-contract.ts';

concurrencyCapContract('LocalConcurrencyCap', (capacity) => new LocalConcurrencyCap(capacity));

describe('LocalConcurrencyCap', () => {
  it('lets those in flight finish when places are cut', () => {
    const cap = new LocalConcurrencyCap(3);
    cap.take();
    cap.take();
    cap.resize(1);
    expect(cap.take()).toBe(false);
    cap.release();
    expect(cap.take()).toBe(false);
    cap.release();
    expect(cap.take()).toBe(true);
    expect(cap.capacity).toBe(1);
  });

  it('refuses a capacity that is no whole number', () => {
    expect(() => new LocalConcurrencyCap(1.5)).toThrow('capacity 1.5');
    expect(() => new LocalConcurrencyCap(1).resize(-1)).toThrow('capacity -1');
  });
});
