import { describe, expect, it } from 'vitest';
import { SystemLookup } from '../../../../src/wire/dns/system-lookup.ts';

describe('look-ups', () => {
  it('find what the system knows', async () => {
    expect(await new SystemLookup().lookup('localhost')).toContain('127.0.0.1');
    await expect(new SystemLookup().lookup('no-such-host.invalid')).rejects.toThrow();
  });

  it('of equal names at the same time are one, and of different names never more than two at a time', async () => {
    const running: string[] = [];
    const waiting: (() => void)[] = [];
    let most = 0;
    const lookups = new SystemLookup((host) => {
      running.push(host);
      most = Math.max(most, waiting.length + 1);
      return new Promise((resolve) => waiting.push(() => resolve([host])));
    });
    const asked = ['a', 'b', 'a', 'c', 'd', 'c'].map((host) => lookups.lookup(host));
    expect(running).toEqual(['a', 'b']);
    for (let i = 0; i < 4; i++) {
      waiting.shift()!();
      await new Promise((done) => setImmediate(done));
    }
    expect(await Promise.all(asked)).toEqual([['a'], ['b'], ['a'], ['c'], ['d'], ['c']]);
    expect([running, most]).toEqual([['a', 'b', 'c', 'd'], 2]);
    void lookups.lookup('a');
    expect(running).toHaveLength(5);
    waiting.shift()!();
  });

  it('go on after one has failed', async () => {
    let fails = true;
    const lookups = new SystemLookup((host) => (fails ? Promise.reject(new Error(host)) : Promise.resolve([host])));
    const failed = await Promise.allSettled(['a', 'b', 'c'].map((host) => lookups.lookup(host)));
    expect(failed.every(({ status }) => status === 'rejected')).toBe(true);
    fails = false;
    expect(await lookups.lookup('a')).toEqual(['a']);
  });
});
