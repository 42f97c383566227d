/** What has a deadline. */
export interface Timed {
  readonly deadlineMs: number;
  /** Where it is in the heap; -1 when it is in none. For the heap alone. */
  heapAt: number;
}

/** All deadlines of a channel, the earliest first: so one timer does for all calls. A binary heap. */
export class DeadlineHeap<T extends Timed> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The one that is due first; null when there is none. */
  get first(): T | null {
    return this.#items.length === 0 ? null : this.#items[0]!;
  }

  /** @hot */
  add(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Idempotent. @hot */
  remove(item: T): void {
    const at = item.heapAt;
    if (at < 0) return;
    item.heapAt = -1;
    const last = this.#items.pop()!;
    if (last === item) return;
    if (at > 0 && this.#items[(at - 1) >> 1]!.deadlineMs > last.deadlineMs) this.#rise(last, at);
    else this.#sink(last, at);
  }

  #rise(item: T, from: number): void {
    const items = this.#items;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above]!;
      if (parent.deadlineMs <= item.deadlineMs) break;
      items[at] = parent;
      parent.heapAt = at;
      at = above;
    }
    items[at] = item;
    item.heapAt = at;
  }

  #sink(item: T, from: number): void {
    const items = this.#items;
    const count = items.length;
    let at = from;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= count) break;
      if (below + 1 < count && items[below + 1]!.deadlineMs < items[below]!.deadlineMs) below++;
      const child = items[below]!;
      if (child.deadlineMs >= item.deadlineMs) break;
      items[at] = child;
      child.heapAt = at;
      at = below;
    }
    items[at] = item;
    item.heapAt = at;
  }
}
