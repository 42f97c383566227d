import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endpointLabel } from '../../../../src/core/endpoints.ts';
import { NameWatch } from '../../../../src/router/endpoints/name-watch.ts';

const NAMES = [
  { name: 'models:8001', host: 'models' },
  { name: '10.0.0.9:8001', host: '' },
];

let answer: readonly string[] | Error;
let asked: string[];
let told: string[];
let watch: NameWatch;

beforeEach(() => {
  vi.useFakeTimers();
  answer = ['10.0.0.2', '10.0.0.1'];
  asked = [];
  told = [];
  watch = new NameWatch({
    names: NAMES,
    lookup: async (host) => {
      asked.push(host);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    resolveMs: 5_000,
    random: () => 0.5,
    onAddresses: (addresses) => told.push(addresses.map(endpointLabel).join(', ')),
    onUnresolved: (name, reason) => told.push(`${name}: ${reason}`),
  });
});

afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

const gone = (code: string): Error => Object.assign(new Error('lookup failed'), { code });
const FIRST = 'models:8001 at 10.0.0.1, models:8001 at 10.0.0.2, 10.0.0.9:8001';

describe('a name among the endpoints', () => {
  it('stands for all its addresses, while an IP address is never looked up', async () => {
    await watch.resolve();
    expect([asked, told]).toEqual([['models'], [FIRST]]);
  });

  it('is looked up again and again, and told of only when something has changed', async () => {
    await watch.resolve();
    watch.start();
    answer = ['10.0.0.1', '10.0.0.2', '10.0.0.1'];
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([FIRST]);
    answer = ['10.0.0.3'];
    await vi.advanceTimersByTimeAsync(5_000);
    expect([asked.length, told.at(-1)]).toEqual([4, 'models:8001 at 10.0.0.3, 10.0.0.9:8001']);
  });

  it.each([
    ['an error', gone('ENOTFOUND'), 'models:8001: "models" could not be looked up: ENOTFOUND'],
    ['no address', [], 'models:8001: "models" stands for no address'],
  ])('keeps the addresses it had when it gives %s, and says so once', async (_what, flap, problem) => {
    await watch.resolve();
    watch.start();
    answer = flap;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual([FIRST, problem]);
    expect(watch.addresses().map(endpointLabel).join(', ')).toBe(FIRST);
    expect(watch.problems()).toHaveLength(1);
    answer = ['10.0.0.2', '10.0.0.1'];
    await vi.advanceTimersByTimeAsync(5_000);
    expect([told.length, watch.problems()]).toEqual([2, []]);
  });

  it('stands for 256 addresses at most', async () => {
    answer = Array.from({ length: 300 }, (_, i) => `10.0.1.${i}`);
    await watch.resolve();
    expect(watch.addresses()).toHaveLength(257);
    expect(told[0]).toContain('300 addresses; the first 256 are used');
  });

  it('is not looked up while the last look-up is under way, nor after the end', async () => {
    watch.start();
    answer = ['10.0.0.1'];
    let done: () => void = () => undefined;
    const slow = new NameWatch({
      names: [NAMES[0]!],
      lookup: (host) => {
        asked.push(host);
        return new Promise((resolve) => (done = () => resolve(['10.0.0.1'])));
      },
      resolveMs: 1_000,
      random: () => 0.5,
      onAddresses: (addresses) => told.push(addresses.map(endpointLabel).join(', ')),
      onUnresolved: () => undefined,
    });
    watch.close();
    slow.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual(['models']);
    slow.close();
    done();
    await vi.advanceTimersByTimeAsync(10_000);
    expect([asked.length, told]).toEqual([1, []]);
  });
});
