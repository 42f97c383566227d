import type { Clock } from '../core/clock.ts';
import type { QueueRefusal, Wish } from '../core/gate.ts';
import type { Millis } from '../core/units.ts';
import type { SetAlarm } from './alarm.ts';
import { LinePace } from './line-pace.ts';
import { QueueClass } from './queue-class.ts';
import { type EntryOwner, type Queued, QueueEntry } from './queue-entry.ts';

export interface FairQueueOptions {
  readonly clock: Clock;
  readonly setAlarm: SetAlarm;
  readonly maxEntries: number;
  /** Nobody waits longer. */
  readonly maxAgeMs: number;
}

/** Priorities by class: 0 and 1 are background work, 2 to 5 usual, 6 and 7 urgent. */
const CLASS_OF: readonly number[] = [0, 0, 1, 1, 1, 1, 2, 2];
const URGENT = 2;
/** One turn in so many goes to a class that waits behind more urgent ones, so that it is late and not forgotten. */
const TURNS_PER_SHARE = 10;
const MAX_COST = 8;

/**
 * A bounded line before a backend that is full. More urgent classes go first, but for a guaranteed share of the others; within a class
 * tenants take turns. Who would wait in vain is refused at once, once the line has stood long enough to tell. What is too old, or past its
 * deadline all the same, is refused when it is met, and at the latest by one alarm.
 */
export class FairQueue<Entry extends Queued = Queued> implements EntryOwner {
  readonly #o: FairQueueOptions;
  readonly #classes = [new QueueClass(), new QueueClass(), new QueueClass()];
  /** Turns of others since each class had its own, while it had entries. */
  readonly #passedOver = [0, 0, 0];
  readonly #pace: LinePace;
  #length = 0;
  #cancelAlarm: (() => void) | null = null;

  constructor(options: FairQueueOptions) {
    this.#o = options;
    this.#pace = new LinePace(options.maxEntries);
  }

  get length(): number {
    return this.#length;
  }

  /** How many have their turn before one more like this: those more urgent, but for the share of turns that is kept for the others. */
  aheadOf(wish: Wish): number {
    const classIndex = classOf(wish);
    const own = this.#classes[classIndex]!.aheadOf(wish.tenant);
    let before = own;
    for (let c = URGENT; c > classIndex; c--) before += this.#classes[c]!.length;
    for (let c = 0; c < classIndex; c++)
      before += Math.min(this.#classes[c]!.length, Math.ceil((before + 1) / (TURNS_PER_SHARE - 1)));
    return Math.min(before, (own + 1) * TURNS_PER_SHARE - 1);
  }

  /**
   * Null when there is no room, or the turn would come too late. For room one of a less urgent class gives way, or of a tenant in the
   * same class that has many more entries. The entry is taken out by `cancel` of what is returned.
   */
  push(queued: Entry, wish: Wish, inFlight: number): QueueEntry | null {
    const nowMs = this.#o.clock.nowMs();
    const classIndex = classOf(wish);
    this.#expire(nowMs);
    if (nowMs >= wish.deadlineMs) return null;
    this.#pace.comes(this.#length, inFlight, nowMs);
    const isInVain = this.#pace.isInVain(this.aheadOf(wish), wish.deadlineMs - nowMs, this.#o.maxAgeMs);
    if (isInVain || this.#length >= this.#pace.room) {
      this.#pace.refused();
      if (isInVain || !this.#displace(classIndex, wish.tenant)) return null;
    }
    const cost = Math.max(1, Math.min(MAX_COST, Math.ceil(wish.cost)));
    const entry = new QueueEntry(this, queued, { classIndex, cost, sinceMs: nowMs, deadlineMs: wish.deadlineMs });
    this.#classes[classIndex]!.add(entry, wish.tenant);
    this.#length++;
    this.#cancelAlarm ??= this.#o.setAlarm(this.#o.maxAgeMs, () => this.#ring());
    return entry;
  }

  /** Whose turn it is, taken out; null when nobody waits. */
  take(): Entry | null {
    const nowMs = this.#o.clock.nowMs();
    this.#expire(nowMs);
    while (this.#length > 0) {
      const entry = this.#classes[this.#nextClass()]!.take()!;
      this.#length--;
      if (nowMs < entry.deadlineMs) {
        this.#pace.turned(this.#length, nowMs);
        return entry.queued as Entry;
      }
      entry.queued.refused('expired');
    }
    return null;
  }

  remove(entry: QueueEntry): void {
    this.#classes[entry.classIndex]!.remove(entry);
    this.#length--;
  }

  /** Refuses everybody, for when there is nothing left to wait for. */
  clear(): void {
    // Only as many as wait now: who is refused may come again.
    let left = this.#length;
    for (const one of this.#classes) {
      for (let entry = one.oldest; entry !== null && left > 0; entry = one.oldest) {
        left--;
        this.#refuse(entry, 'closed');
      }
    }
  }

  /** The most urgent class with entries, unless a less urgent one has been passed over too often. */
  #nextClass(): number {
    let chosen = -1;
    for (let c = URGENT; c >= 0; c--) {
      if (this.#classes[c]!.oldest === null) {
        this.#passedOver[c] = 0;
        continue;
      }
      if (chosen === -1 || this.#passedOver[c]! >= TURNS_PER_SHARE - 1) chosen = c;
    }
    for (let c = 0; c < chosen; c++) {
      if (this.#classes[c]!.oldest !== null) this.#passedOver[c]!++;
    }
    this.#passedOver[chosen] = 0;
    return chosen;
  }

  #displace(byClass: number, byTenant: string): boolean {
    const victim = this.#leastUrgent(byClass) ?? this.#classes[byClass]!.newestOfLongest(byTenant);
    if (victim === null) return false;
    this.#refuse(victim, 'displaced');
    // Who was refused may have come again from inside, and taken the room.
    return this.#length < this.#o.maxEntries;
  }

  #leastUrgent(belowClass: number): QueueEntry | null {
    for (let c = 0; c < belowClass; c++) {
      const entry = this.#classes[c]!.mostDispensable;
      if (entry !== null) return entry;
    }
    return null;
  }

  #expire(nowMs: Millis): void {
    for (const one of this.#classes) {
      for (let entry = one.oldest; entry !== null && nowMs - entry.sinceMs >= this.#o.maxAgeMs; entry = one.oldest) {
        this.#refuse(entry, 'expired');
      }
    }
  }

  #refuse(entry: QueueEntry, reason: QueueRefusal): void {
    this.remove(entry);
    entry.queued.refused(reason);
  }

  #ring(): void {
    this.#cancelAlarm = null;
    const nowMs = this.#o.clock.nowMs();
    this.#expire(nowMs);
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const one of this.#classes) if (one.oldest !== null) oldestMs = Math.min(oldestMs, one.oldest.sinceMs);
    if (oldestMs === Number.POSITIVE_INFINITY) return;
    this.#cancelAlarm ??= this.#o.setAlarm(Math.max(1, oldestMs + this.#o.maxAgeMs - nowMs), () => this.#ring());
  }
}

const classOf = ({ priority }: Wish): number => CLASS_OF[Math.max(0, Math.min(CLASS_OF.length - 1, Math.trunc(priority)))]!;
