import type { Pending } from '../../src/core/backend.ts';
import { CallOutcome, type Turn } from '../../src/core/gate.ts';
import { millis } from '../../src/core/units.ts';
import { AdaptiveLimit } from '../../src/limits/adaptive-limit.ts';
import { FairQueue } from '../../src/limits/fair-queue.ts';
import { VariantGate } from '../../src/limits/variant-gate.ts';
import { EventHeap } from './event-heap.ts';
import { FakeAlarms } from './fake-alarms.ts';
import { FakeClock } from './fake-clock.ts';
import { seeded } from './seeded.ts';

/** Servers with one line before them, behind a gate with its limit and its line, and callers who do not wait for each other: in virtual time. */

export interface World {
  servers: number;
  /** Milliseconds that one call keeps a server. */
  serviceMs: (random: () => number) => number;
  /** It refuses every call as one too many. */
  isBusy?: boolean;
  /** First limit of one that follows latency; null lets in `maxInFlight`. */
  readonly adaptive?: { readonly least: number; readonly first: number } | null | undefined;
  readonly maxInFlight?: number;
  /** Null refuses whoever finds no place. */
  readonly line?: { readonly maxEntries: number; readonly maxAgeMs: number } | null;
  readonly seed?: number;
}

export const fixed =
  (ms: number): World['serviceMs'] =>
  () =>
    ms;

/** Most take about as long as the median; of a few each takes many times as long. */
export const lognormal =
  (medianMs: number, sigma: number): World['serviceMs'] =>
  (random) =>
    medianMs * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));

export interface Callers {
  readonly perSecond: number;
  readonly forMs: number;
  readonly deadlineMs?: (random: () => number) => number;
  readonly tenant?: (random: () => number) => string;
  readonly priority?: number;
}

/** What became of a caller: answered in time, refused when it came, refused after a while in line, or out of time. */
export type Fate = 'good' | 'refused' | 'dismissed' | 'cut';

export interface Told {
  readonly cameMs: number;
  readonly tookMs: number;
  /** Of it in line. */
  readonly waitedMs: number;
  readonly tenant: string;
  readonly priority: number;
  readonly fate: Fate;
}

const LIMIT_EVERY_MS = 100;
const PATIENT_MS = 60_000;

export class GateSimulation {
  readonly world: World;
  readonly gate: VariantGate;
  readonly told: Told[] = [];
  /** The limit every tenth of a second. */
  readonly limits: number[] = [];
  readonly clock = new FakeClock(10_000);
  readonly events = new EventHeap();
  readonly random: () => number;
  readonly #alarms = new FakeAlarms(this.clock);
  /** Calls that wait for a server. */
  readonly #waiting = new Set<Caller>();
  readonly #running = new Set<Caller>();
  #frozenUntilMs = 0;
  #nowMs = 10_000;

  constructor(world: World) {
    this.world = world;
    this.random = seeded(world.seed ?? 7);
    const { maxInFlight = 1_024, adaptive = { least: 16, first: 64 }, line = { maxEntries: 512, maxAgeMs: 1_000 } } = world;
    this.gate = new VariantGate({
      clock: this.clock,
      maxInFlight,
      adaptive:
        adaptive === null
          ? null
          : new AdaptiveLimit({ minLimit: adaptive.least, initialLimit: adaptive.first, maxLimit: maxInFlight }),
      queue: line === null ? null : new FairQueue<Turn>({ clock: this.clock, setAlarm: this.#alarms.set, ...line }),
    });
    this.#noteLimit();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Strangers who come by chance, from now on. */
  come(callers: Callers): this {
    const endMs = this.#nowMs + callers.forMs;
    const next = (dueMs: number): void => {
      if (dueMs >= endMs) return;
      this.events.add(dueMs, () => {
        this.#one(callers);
        next(dueMs - (Math.log(1 - this.random()) * 1_000) / callers.perSecond);
      });
    };
    next(this.#nowMs - (Math.log(1 - this.random()) * 1_000) / callers.perSecond);
    return this;
  }

  /** So many at once. */
  burst(count: number, callers: Omit<Callers, 'perSecond' | 'forMs'> = {}): this {
    for (let i = 0; i < count; i++) this.#one({ ...callers, perSecond: 0, forMs: 0 });
    return this;
  }

  /** No server goes on with its work for so long. */
  freeze(ms: number): void {
    this.#frozenUntilMs = this.#nowMs + ms;
    for (const caller of this.#running) caller.endsMs += ms;
  }

  /** What those who came in that time were told in the end, as far as they were told until then. */
  run(forMs: number): Told[] {
    const sinceMs = this.#nowMs;
    const endMs = this.#nowMs + forMs;
    for (let event = this.events.take(endMs); event !== null; event = this.events.take(endMs)) {
      this.#advanceTo(event.atMs);
      event.run();
    }
    this.#advanceTo(endMs);
    return this.told.filter(({ cameMs }) => cameMs >= sinceMs);
  }

  atBackend(caller: Caller): void {
    if (this.world.isBusy === true) {
      this.events.add(this.#nowMs + 1, () => caller.busy());
      return;
    }
    this.#waiting.add(caller);
    this.#serve();
  }

  /** A call that waits for a server costs nothing; one that has begun keeps its server to the end. */
  cutAtBackend(caller: Caller): void {
    this.#waiting.delete(caller);
  }

  #serve(): void {
    for (const caller of this.#waiting) {
      if (this.#running.size >= this.world.servers) return;
      this.#waiting.delete(caller);
      this.#running.add(caller);
      caller.endsMs = Math.max(this.#nowMs, this.#frozenUntilMs) + this.world.serviceMs(this.random);
      this.#endLater(caller);
    }
  }

  #endLater(caller: Caller): void {
    this.events.add(caller.endsMs, () => {
      if (caller.endsMs > this.#nowMs) {
        this.#endLater(caller);
        return;
      }
      this.#running.delete(caller);
      caller.answered();
      this.#serve();
    });
  }

  #one(callers: Callers): void {
    new Caller(this, {
      deadlineMs: callers.deadlineMs?.(this.random) ?? PATIENT_MS,
      tenant: callers.tenant?.(this.random) ?? 't',
      priority: callers.priority ?? 3,
    }).come();
  }

  #noteLimit(): void {
    this.limits.push(this.gate.limit);
    this.events.add(this.#nowMs + LIMIT_EVERY_MS, () => this.#noteLimit());
  }

  #advanceTo(ms: number): void {
    this.#alarms.advance(ms - this.#nowMs);
    this.#nowMs = ms;
  }
}

class Caller implements Turn {
  readonly #world: GateSimulation;
  readonly #facts: { readonly deadlineMs: number; readonly tenant: string; readonly priority: number };
  readonly #cameMs: number;
  #sentMs = 0;
  #entry: Pending | null = null;
  #over = false;
  /** When its server is done. */
  endsMs = 0;

  constructor(world: GateSimulation, facts: { readonly deadlineMs: number; readonly tenant: string; readonly priority: number }) {
    this.#world = world;
    this.#facts = facts;
    this.#cameMs = world.nowMs;
  }

  come(): void {
    const { gate, events } = this.#world;
    events.add(this.#cameMs + this.#facts.deadlineMs, () => this.#giveUp());
    if (gate.enter()) {
      this.admitted();
      return;
    }
    const { tenant, priority, deadlineMs } = this.#facts;
    this.#entry = gate.queue(this, { tenant, priority, cost: 1, deadlineMs: millis(this.#cameMs + deadlineMs) });
    if (this.#entry === null) this.#end('refused');
  }

  admitted(): void {
    this.#entry = null;
    this.#sentMs = this.#world.nowMs;
    this.#world.atBackend(this);
  }

  refused(): void {
    this.#entry = null;
    this.#end('dismissed');
  }

  answered(): void {
    if (this.#over) return;
    this.#end('good');
    this.#world.gate.leave(CallOutcome.Answered, this.#sinceSentUs());
  }

  busy(): void {
    if (this.#over) return;
    this.#end('dismissed');
    this.#world.gate.leave(CallOutcome.Overloaded, 0);
  }

  #giveUp(): void {
    if (this.#over) return;
    this.#end('cut');
    if (this.#entry !== null) this.#entry.cancel();
    else {
      this.#world.cutAtBackend(this);
      this.#world.gate.leave(CallOutcome.Cut, this.#sinceSentUs());
    }
  }

  #sinceSentUs(): number {
    return (this.#world.nowMs - this.#sentMs) * 1_000;
  }

  #end(fate: Fate): void {
    this.#over = true;
    const { nowMs } = this.#world;
    this.#world.told.push({
      cameMs: this.#cameMs,
      tookMs: nowMs - this.#cameMs,
      waitedMs: (this.#sentMs === 0 ? nowMs : this.#sentMs) - this.#cameMs,
      tenant: this.#facts.tenant,
      priority: this.#facts.priority,
      fate,
    });
  }
}
