/**
 * Calls that wait for a thread, oldest first, bounded by rows. Calls with the same key may share a run; each key has a list of its own,
 * threaded through the list of all, so that putting, taking, and leaving from the middle cost the same however many wait.
 *
 *   all:      A1 ── B1 ── A2 ── C1 ── A3
 *   key a:    A1 ───────── A2 ─────── A3
 */
export class QueueEntry {
  /** Null never shares a run. */
  readonly key: string | null;
  /** At least 1, so that a call without rows counts too. */
  readonly rows: number;
  readonly deadlineMs: number;
  // Links; the queue's alone.
  queued = false;
  group: Group | null = null;
  next: QueueEntry | null = null;
  prev: QueueEntry | null = null;
  groupNext: QueueEntry | null = null;
  groupPrev: QueueEntry | null = null;

  constructor(key: string | null, rows: number, deadlineMs: number) {
    this.key = key;
    this.rows = Math.max(1, rows);
    this.deadlineMs = deadlineMs;
  }
}

interface Group {
  head: QueueEntry | null;
  tail: QueueEntry | null;
  rows: number;
}

export class CallQueue<T extends QueueEntry> {
  readonly capacityRows: number;
  readonly #groups = new Map<string, Group>();
  #head: QueueEntry | null = null;
  #tail: QueueEntry | null = null;
  #rows = 0;
  #size = 0;

  constructor(capacityRows: number) {
    this.capacityRows = capacityRows;
  }

  get rows(): number {
    return this.#rows;
  }

  get size(): number {
    return this.#size;
  }

  get oldest(): T | null {
    return this.#head as T | null;
  }

  /** False when the rows do not fit; the entry is not in the queue then. */
  push(entry: T): boolean {
    if (this.#rows + entry.rows > this.capacityRows) return false;
    entry.queued = true;
    entry.prev = this.#tail;
    if (this.#tail === null) this.#head = entry;
    else this.#tail.next = entry;
    this.#tail = entry;
    if (entry.key !== null) join(this.#groupOf(entry.key), entry);
    this.#rows += entry.rows;
    this.#size++;
    return true;
  }

  /** Does nothing when the entry is not in the queue. */
  remove(entry: T): void {
    if (!entry.queued) return;
    if (entry.prev === null) this.#head = entry.next;
    else entry.prev.next = entry.next;
    if (entry.next === null) this.#tail = entry.prev;
    else entry.next.prev = entry.prev;
    if (entry.group !== null) {
      leave(entry.group, entry);
      if (entry.group.head === null) this.#groups.delete(entry.key!);
    }
    entry.queued = false;
    entry.group = entry.next = entry.prev = entry.groupNext = entry.groupPrev = null;
    this.#rows -= entry.rows;
    this.#size--;
  }

  /** Moves the oldest entry, and those of its key that follow and fit into `maxRows` with it, to the end of `into`. */
  take(maxRows: number, into: T[]): void {
    let entry = this.#head as T | null;
    let rows = 0;
    // The oldest goes even when it is larger than `maxRows`; one that does not fit ends the batch, or large calls would starve.
    while (entry !== null && (rows === 0 || rows + entry.rows <= maxRows)) {
      const following = entry.groupNext as T | null;
      rows += entry.rows;
      this.remove(entry);
      into.push(entry);
      entry = following;
    }
  }

  /** Rows that wait with the key of the oldest entry, and so could share its run. */
  oldestGroupRows(): number {
    const oldest = this.#head;
    if (oldest === null) return 0;
    return oldest.group === null ? oldest.rows : oldest.group.rows;
  }

  /** Moves the entries whose deadline is not after `nowMs` to the end of `into`. */
  takeExpired(nowMs: number, into: T[]): void {
    let entry = this.#head as T | null;
    while (entry !== null) {
      const following = entry.next as T | null;
      if (entry.deadlineMs <= nowMs) {
        this.remove(entry);
        into.push(entry);
      }
      entry = following;
    }
  }

  #groupOf(key: string): Group {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { head: null, tail: null, rows: 0 };
      this.#groups.set(key, group);
    }
    return group;
  }
}

function join(group: Group, entry: QueueEntry): void {
  entry.group = group;
  entry.groupPrev = group.tail;
  if (group.tail === null) group.head = entry;
  else group.tail.groupNext = entry;
  group.tail = entry;
  group.rows += entry.rows;
}

function leave(group: Group, entry: QueueEntry): void {
  if (entry.groupPrev === null) group.head = entry.groupNext;
  else entry.groupPrev.groupNext = entry.groupNext;
  if (entry.groupNext === null) group.tail = entry.groupPrev;
  else entry.groupNext.groupPrev = entry.groupPrev;
  group.rows -= entry.rows;
}
