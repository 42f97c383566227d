import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Flights, type Joined, type SharedFault, type Waiter } from '../../../src/cache/flights.ts';
import { Fault } from '../../../src/core/faults.ts';
import { ENTRY, Recorder } from './recorder.ts';

const SMALL = { maxKeys: 2, maxWaiters: 4 };
const KEYS = ['a', 'b', 'c'];
const FAULT: SharedFault = { kind: Fault.BackendFailed, detail: 'x', retryAfterMs: 5 };
type Desk = Pick<Flights, 'join' | 'leave' | 'land' | 'fail' | 'handOver' | 'waiting' | 'keys'>;
type Reaction = 'nothing' | 'handOver' | 'land' | 'rejoin';

interface Act {
  readonly is: 'join' | 'leave' | 'land' | 'fail' | 'handOver';
  readonly key: string;
  readonly who: number;
  readonly reaction: Reaction;
}

const act: fc.Arbitrary<Act> = fc.record({
  is: fc.constantFrom('join', 'join', 'join', 'join', 'leave', 'land', 'fail', 'handOver', 'handOver'),
  key: fc.constantFrom(...KEYS),
  who: fc.nat({ max: 30 }),
  reaction: fc.constantFrom<Reaction>('nothing', 'nothing', 'handOver', 'land', 'rejoin'),
});

describe('Flights against a naive model', () => {
  it('agrees over any sequence of acts, also when callbacks act at once', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
        const real = new Drive(new Flights(SMALL, () => {}));
        const naive = new Drive(new NaiveFlights());
        for (const one of acts) {
          real.run(one);
          naive.run(one);
          expect(real.log).toEqual(naive.log);
        }
      }),
      { seed: 20_260, numRuns: 500 },
    );
  });
});

/** Plays acts on a desk and writes down all that is heard and answered. Each joins as a new waiter; `who` picks an earlier one. */
class Drive {
  readonly log: string[] = [];
  readonly #desk: Desk;
  readonly #waiters: { key: string; recorder: Recorder }[] = [];
  /** Who leads; only they land, fail or hand over, and once. */
  readonly #leading = new Set<Recorder>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  run(one: Act): void {
    if (one.is === 'join') this.#join(one.key, one.reaction);
    else if (this.#waiters.length > 0) this.log.push(String(this.#act(one.is, this.#waiters[one.who % this.#waiters.length]!)));
    this.log.push(`${this.#desk.keys} ${KEYS.map((key) => this.#desk.waiting(key)).join()}`);
  }

  #act(is: Act['is'], { key, recorder }: { key: string; recorder: Recorder }): number | boolean {
    if (is === 'leave') return this.#desk.leave(key, recorder);
    if (!this.#leading.delete(recorder)) return false;
    if (is === 'land') return this.#desk.land(key, ENTRY);
    return is === 'fail' ? this.#desk.fail(key, FAULT) : this.#desk.handOver(key);
  }

  #join(key: string, reaction: Reaction): void {
    const recorder = new Recorder(`w${this.#waiters.length}`, this.log);
    this.#waiters.push({ key, recorder });
    recorder.react = (heard) => this.#react(key, recorder, heard === 'promoted', reaction);
    const joined = this.#desk.join(key, recorder);
    if (joined === 'leads') this.#leading.add(recorder);
    this.log.push(`${recorder.name} ${joined}`);
  }

  #react(key: string, recorder: Recorder, promoted: boolean, reaction: Reaction): void {
    if (promoted) this.#leading.add(recorder);
    if (reaction === 'rejoin') this.#join(key, 'nothing');
    else if (promoted && reaction !== 'nothing') this.#act(reaction, { key, recorder });
  }
}

interface Line {
  readonly key: string;
  readonly people: Waiter[];
}

/** The same rules, written as plainly as they can be: one line of people a key, the first of them leads. */
class NaiveFlights implements Desk {
  #lines: Line[] = [];

  get keys(): number {
    return this.#lines.length;
  }

  waiting(key: string): number {
    return (this.#line(key)?.people.length ?? 1) - 1;
  }

  join(key: string, waiter: Waiter): Joined {
    const line = this.#line(key);
    if (line === undefined && this.keys >= SMALL.maxKeys) return 'alone';
    if (line === undefined) {
      this.#lines.push({ key, people: [waiter] });
      return 'leads';
    }
    if (this.waiting(key) >= SMALL.maxWaiters) return 'alone';
    line.people.push(waiter);
    return 'waits';
  }

  leave(key: string, waiter: Waiter): boolean {
    const people = this.#line(key)?.people ?? [];
    const at = people.indexOf(waiter);
    if (at < 1) return false;
    people.splice(at, 1);
    return true;
  }

  land(key: string): number {
    return this.#end(key, (waiter) => waiter.onLanded(ENTRY));
  }

  fail(key: string, fault: SharedFault): number {
    return this.#end(key, (waiter) => waiter.onFailed(fault));
  }

  handOver(key: string): boolean {
    const line = this.#line(key)!;
    line.people.shift();
    if (line.people.length === 0) this.#forget(line);
    else line.people[0]!.onPromoted();
    return line.people.length > 0;
  }

  #end(key: string, tell: (waiter: Waiter) => void): number {
    const line = this.#line(key)!;
    this.#forget(line);
    const others = line.people.slice(1);
    others.forEach(tell);
    return others.length;
  }

  #forget(line: Line): void {
    this.#lines = this.#lines.filter((other) => other !== line);
  }

  #line(key: string): Line | undefined {
    return this.#lines.find((line) => line.key === key);
  }
}
