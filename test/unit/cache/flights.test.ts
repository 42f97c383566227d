import { describe, expect, it } from 'vitest';
import { Flights } from '../../../src/cache/flights.ts';
import { Fault } from '../../../src/core/faults.ts';
import { ENTRY, Recorder } from './recorder.ts';

const ROOMY = { maxKeys: 100, maxWaiters: 1_000 };

function rethrow(error: unknown): void {
  throw error;
}

function flightOf(names: readonly string[], onLost: (error: unknown) => void = rethrow) {
  const log: string[] = [];
  const flights = new Flights(ROOMY, onLost);
  const all = names.map((name) => new Recorder(name, log));
  const joined = all.map((waiter) => flights.join('k', waiter));
  return { flights, log, all, joined };
}

describe('Flights', () => {
  it('lets the first lead and the others wait', () => {
    const { flights, joined } = flightOf(['a', 'b', 'c']);
    expect(joined).toEqual(['leads', 'waits', 'waits']);
    expect(flights.waiting('k')).toBe(2);
  });

  it('keeps different misses apart', () => {
    const { flights, log } = flightOf(['a', 'b']);
    const other = new Recorder('x', log);
    expect(flights.join('other', other)).toBe('leads');
    flights.land('other', ENTRY);
    expect(log).toEqual([]);
    expect(flights.land('k', ENTRY)).toBe(1);
  });

  it('gives the answer to all who wait, in order, and then knows the key no more', () => {
    const { flights, log } = flightOf(['a', 'b', 'c']);
    expect(flights.land('k', ENTRY)).toBe(2);
    expect(log).toEqual(['b landed true', 'c landed true']);
    expect(flights.keys).toBe(0);
    expect(flights.join('k', new Recorder('d'))).toBe('leads');
  });

  it('gives a shared fault to all who wait', () => {
    const { flights, log } = flightOf(['a', 'b']);
    expect(flights.fail('k', { kind: Fault.BackendFailed, detail: 'reset', retryAfterMs: 0 })).toBe(1);
    expect(log).toEqual(['b failed BACKEND_FAILED reset']);
  });

  it('promotes the first who waits when the leader hands over', () => {
    const { flights, log } = flightOf(['a', 'b', 'c']);
    expect(flights.handOver('k')).toBe(true);
    expect(log).toEqual(['b promoted']);
    expect(flights.waiting('k')).toBe(1);
    flights.land('k', ENTRY);
    expect(log).toEqual(['b promoted', 'c landed true']);
  });

  it('forgets the key when nobody is there to take over', () => {
    const { flights } = flightOf(['a']);
    expect(flights.handOver('k')).toBe(false);
    expect(flights.keys).toBe(0);
  });

  it('knows nothing of a key that nobody leads', () => {
    const { flights, log } = flightOf([]);
    expect(flights.land('k', ENTRY)).toBe(0);
    expect(flights.fail('k', { kind: Fault.BackendFailed, detail: '', retryAfterMs: 0 })).toBe(0);
    expect(flights.handOver('k')).toBe(false);
    expect(flights.waiting('k')).toBe(0);
    expect(log).toEqual([]);
  });

  it('tells nothing to one who has left', () => {
    const { flights, all, log } = flightOf(['a', 'b', 'c']);
    expect(flights.leave('k', all[1]!)).toBe(true);
    expect(flights.leave('k', all[1]!)).toBe(false);
    flights.land('k', ENTRY);
    expect(log).toEqual(['c landed true']);
  });

  it('tells nothing to one who leaves while the others are being told', () => {
    const { flights, all, log } = flightOf(['a', 'b', 'c']);
    all[1]!.react = () => flights.leave('k', all[2]!);
    flights.land('k', ENTRY);
    expect(log).toEqual(['b landed true']);
  });

  it('does not take the leader for one who waits', () => {
    const { flights, all } = flightOf(['a', 'b']);
    expect(flights.leave('k', all[0]!)).toBe(false);
    expect(flights.leave('unknown', all[1]!)).toBe(false);
    expect(flights.waiting('k')).toBe(1);
  });

  it('sends callers alone beyond its bounds', () => {
    const flights = new Flights({ maxKeys: 1, maxWaiters: 1 }, rethrow);
    expect(flights.join('k', new Recorder('a'))).toBe('leads');
    expect(flights.join('k', new Recorder('b'))).toBe('waits');
    expect(flights.join('k', new Recorder('c'))).toBe('alone');
    expect(flights.join('other', new Recorder('d'))).toBe('alone');
    expect(flights.land('k', ENTRY)).toBe(1);
    expect(flights.join('other', new Recorder('e'))).toBe('leads');
  });

  it('tells the others when the callback of one throws', () => {
    const lost: unknown[] = [];
    const { flights, all, log } = flightOf(['a', 'b', 'c'], (error) => lost.push(error));
    const bug = new Error('bug');
    all[1]!.react = () => rethrow(bug);
    flights.land('k', ENTRY);
    expect(log).toEqual(['b landed true', 'c landed true']);
    expect(lost).toEqual([bug]);
  });

  it('promotes the next when the promoted one throws', () => {
    const lost: unknown[] = [];
    const { flights, all, log } = flightOf(['a', 'b', 'c'], (error) => lost.push(error));
    all[1]!.react = () => rethrow(new Error('bug'));
    expect(flights.handOver('k')).toBe(true);
    expect(log).toEqual(['b promoted', 'c promoted']);
    expect(lost.length).toBe(1);
  });

  it('does not nest when each of a thousand hands over at once', () => {
    const { flights, all, log } = flightOf(Array.from({ length: 1_001 }, (_, n) => `w${n}`));
    let depth = 0;
    let deepest = 0;
    for (const waiter of all) {
      waiter.react = () => {
        deepest = Math.max(deepest, ++depth);
        flights.handOver('k');
        depth--;
      };
    }
    expect(flights.handOver('k')).toBe(false);
    expect(log.length).toBe(1_000);
    expect(deepest).toBe(1);
    expect(flights.keys).toBe(0);
  });

  it('leaves alone the flight that begins while the old one is being told', () => {
    const { flights, all, log } = flightOf(['a', 'b']);
    const next = new Recorder('d', log);
    all[1]!.react = () => expect(flights.join('k', next)).toBe('leads');
    flights.land('k', ENTRY);
    expect(flights.keys).toBe(1);
    expect(flights.land('k', ENTRY)).toBe(0);
  });

  it('does not forget the flight that a promoted one began anew before it threw', () => {
    const { flights, all } = flightOf(['a', 'b'], () => {});
    const next = new Recorder('d');
    all[1]!.react = () => {
      flights.land('k', ENTRY);
      flights.join('k', next);
      throw new Error('bug');
    };
    flights.handOver('k');
    expect(flights.keys).toBe(1);
    expect(flights.join('k', new Recorder('e'))).toBe('waits');
  });
});
