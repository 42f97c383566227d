import { CallOutcome, type Gate, type Turn } from '../../src/core/gate.ts';
import type { Millis } from '../../src/core/units.ts';
import type { FakeAlarms } from './fake-alarms.ts';
import type { FakeClock } from './fake-clock.ts';

/** Callers with a deadline before a gate, and k servers with one line behind it: what a gateway under load does, in virtual time. */
export interface Load {
  readonly servers: number;
  readonly serviceMs: number;
  readonly perSecond: number;
  /** Of each caller. */
  readonly deadlineMs: () => number;
}

export interface Told {
  /** Answered within the deadline. */
  good: number;
  /** Refused when they came. */
  atOnce: number;
  /** Refused, or out of time, after they had waited. */
  afterWaiting: number;
  waitsMs: number[];
}

export class GateSimulation {
  readonly #gate: Gate;
  readonly #clock: FakeClock;
  readonly #alarms: FakeAlarms;
  readonly #random: () => number;
  /** Calls at the backend, in the order they came. */
  readonly #calls: Caller[] = [];
  readonly #callers = new Set<Caller>();
  readonly told: Told = { good: 0, atOnce: 0, afterWaiting: 0, waitsMs: [] };

  constructor(gate: Gate, alarms: FakeAlarms, clock: FakeClock, random: () => number) {
    this.#gate = gate;
    this.#alarms = alarms;
    this.#clock = clock;
    this.#random = random;
  }

  run(load: Load, seconds: number): Told {
    Object.assign(this.told, { good: 0, atOnce: 0, afterWaiting: 0, waitsMs: [] });
    let dueMs = 0;
    for (let ms = 0; ms < seconds * 1_000; ms++) {
      this.#alarms.advance(1);
      const nowMs = this.#clock.nowMs();
      for (const caller of [...this.#callers]) if (nowMs >= caller.deadlineMs) caller.giveUp();
      this.#serve(load, nowMs);
      while (dueMs <= ms) {
        this.#come(load, nowMs);
        dueMs -= (Math.log(1 - this.#random()) * 1_000) / load.perSecond;
      }
    }
    return this.told;
  }

  #serve({ servers, serviceMs }: Load, nowMs: number): void {
    for (const call of [...this.#calls]) if (call.endsMs > 0 && nowMs >= call.endsMs) call.answered(nowMs);
    let busy = this.#calls.filter((call) => call.endsMs > 0).length;
    for (const call of this.#calls) {
      if (busy >= servers) return;
      if (call.endsMs > 0) continue;
      call.endsMs = nowMs + serviceMs;
      busy++;
    }
  }

  #come(load: Load, nowMs: number): void {
    const caller = new Caller(this.#gate, this.#clock, this.told, nowMs + load.deadlineMs());
    caller.backend = this.#calls;
    caller.all = this.#callers;
    caller.come();
  }
}

class Caller implements Turn {
  readonly #gate: Gate;
  readonly #clock: FakeClock;
  readonly #told: Told;
  readonly #sinceMs: number;
  readonly deadlineMs: number;
  backend: Caller[] = [];
  all = new Set<Caller>();
  #entry: { cancel(): void } | null = null;
  #sentMs = 0;
  /** When its server is done; 0 while none has begun. */
  endsMs = 0;

  constructor(gate: Gate, clock: FakeClock, told: Told, deadlineMs: number) {
    this.#gate = gate;
    this.#clock = clock;
    this.#told = told;
    this.deadlineMs = deadlineMs;
    this.#sinceMs = clock.nowMs();
  }

  come(): void {
    this.all.add(this);
    if (this.#gate.enter()) {
      this.admitted();
      return;
    }
    this.#entry = this.#gate.queue(this, { tenant: 't', priority: 3, cost: 1, deadlineMs: this.deadlineMs as Millis });
    if (this.#entry !== null) return;
    this.all.delete(this);
    this.#told.atOnce++;
  }

  admitted(): void {
    this.#entry = null;
    this.#sentMs = this.#clock.nowMs();
    this.#told.waitsMs.push(this.#sentMs - this.#sinceMs);
    this.backend.push(this);
  }

  refused(): void {
    this.all.delete(this);
    this.#told.afterWaiting++;
  }

  answered(nowMs: number): void {
    this.#end();
    this.#told.good++;
    this.#gate.leave(CallOutcome.Answered, (nowMs - this.#sentMs) * 1_000);
  }

  /** Its server, where one has begun, turns to the next. */
  giveUp(): void {
    this.#told.afterWaiting++;
    if (this.#entry !== null) {
      this.all.delete(this);
      this.#entry.cancel();
      return;
    }
    this.#end();
    this.#gate.leave(CallOutcome.Cut, (this.#clock.nowMs() - this.#sentMs) * 1_000);
  }

  #end(): void {
    this.all.delete(this);
    this.backend.splice(this.backend.indexOf(this), 1);
  }
}
