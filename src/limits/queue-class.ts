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

  get oldest(): QueueEntry | null {
    return this.#oldest;
  }

  get newest(): QueueEntry | null {
    return this.#newest;
  }

  /** The newest entry of the longest lane, where that is longer than this tenant's would be with one more. */
  newestOfLongest(tenant: string): QueueEntry | null {
    const own = this.#lanes.get(tenant)?.length ?? 0;
    return this.#longest !== null && this.#longest.length > own + 1 ? this.#longest.newest : null;
  }

  add(entry: QueueEntry, tenant: string): void {
    const lane = this.#lanes.get(tenant) ?? this.#open(tenant);
    entry.lane = lane;
    lane.length++;
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

  /** The entry whose turn it is, taken out. Of a tenant's entries it is the oldest or the newest, as asked. */
  take(isNewestFirst: boolean): QueueEntry | null {
    let lane = this.#turn;
    if (lane === null) return null;
    // Each step gives one unit to one lane, and an entry costs few: in the long run there are no more steps than cost handed out.
    for (;;) {
      const entry = isNewestFirst ? lane.newest! : lane.oldest!;
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
