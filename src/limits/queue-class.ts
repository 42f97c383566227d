import { Lane, type QueueEntry } from './queue-entry.ts';

/**
 * Entries of one class. Tenants take turns by deficit round robin, so that none gets more of the backend by asking more often or for more
 * at once; the oldest and the newest of all are at hand for those that look for entries to refuse.
 *
 *   ring of lanes:   a → b → c → a        each lane: oldest ⇄ … ⇄ newest        all: oldest ⇄ … ⇄ newest
 */
export class QueueClass {
  readonly #lanes = new Map<string, Lane>();
  #turn: Lane | null = null;
  /** The longest lane, or one that was: kept right when lanes grow, and only then. */
  #longest: Lane | null = null;
  #oldest: QueueEntry | null = null;
  #newest: QueueEntry | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get oldest(): QueueEntry | null {
    return this.#oldest;
  }

  /** The newest entry of the longest lane, or of all where no lane is known to be the longest. */
  get mostDispensable(): QueueEntry | null {
    return this.#longest === null ? this.#newest : this.#longest.newest;
  }

  /** The newest entry of the longest lane, where that is longer than this tenant's would be with one more. */
  newestOfLongest(tenant: string): QueueEntry | null {
    const own = this.#lanes.get(tenant)?.length ?? 0;
    return this.#longest !== null && this.#longest.length > own + 1 ? this.#longest.newest : null;
  }

  /** How many are served before one more of this tenant: of each other tenant no more than of its own. */
  aheadOf(tenant: string): number {
    const lane = this.#lanes.get(tenant);
    const own = lane === undefined ? 0 : lane.length;
    const lanes = this.#lanes.size + (lane === undefined ? 1 : 0);
    return Math.min(this.#length, (own + 1) * lanes - 1);
  }

  add(entry: QueueEntry, tenant: string): void {
    const lane = this.#lanes.get(tenant) ?? this.#open(tenant);
    entry.lane = lane;
    lane.length++;
    this.#length++;
    if (this.#longest === null || lane.length > this.#longest.length) this.#longest = lane;
    entry.older = lane.newest;
    if (lane.newest === null) lane.oldest = entry;
    else lane.newest.newer = entry;
    lane.newest = entry;
    entry.olderOfAll = this.#newest;
    if (this.#newest === null) this.#oldest = entry;
    else this.#newest.newerOfAll = entry;
    this.#newest = entry;
  }

  remove(entry: QueueEntry): void {
    const lane = entry.lane!;
    entry.lane = null;
    lane.length--;
    this.#length--;
    if (entry.older === null) lane.oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) lane.newest = entry.older;
    else entry.newer.older = entry.older;
    if (entry.olderOfAll === null) this.#oldest = entry.newerOfAll;
    else entry.olderOfAll.newerOfAll = entry.newerOfAll;
    if (entry.newerOfAll === null) this.#newest = entry.olderOfAll;
    else entry.newerOfAll.olderOfAll = entry.olderOfAll;
    if (lane.oldest === null) this.#close(lane);
  }

  /** The entry whose turn it is, taken out. */
  take(): QueueEntry | null {
    let lane = this.#turn;
    if (lane === null) return null;
    // Each step gives one unit to one lane, and an entry costs few: in the long run there are no more steps than cost handed out.
    for (;;) {
      const entry = lane.oldest!;
      if (lane.deficit >= entry.cost) {
        lane.deficit -= entry.cost;
        this.#turn = lane.next;
        this.remove(entry);
        return entry;
      }
      lane.deficit++;
      if (lane.deficit < entry.cost) lane = lane.next;
    }
  }

  #open(tenant: string): Lane {
    const lane = new Lane(tenant);
    this.#lanes.set(tenant, lane);
    if (this.#turn === null) this.#turn = lane;
    else {
      // The last to be served from now on.
      lane.next = this.#turn;
      lane.previous = this.#turn.previous;
      lane.previous.next = lane;
      lane.next.previous = lane;
    }
    return lane;
  }

  #close(lane: Lane): void {
    this.#lanes.delete(lane.tenant);
    if (this.#longest === lane) this.#longest = null;
    if (this.#turn === lane) this.#turn = lane.next === lane ? null : lane.next;
    lane.previous.next = lane.next;
    lane.next.previous = lane.previous;
  }
}
