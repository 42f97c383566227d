/** What has a deadline. */
export interface Timed {
  readonly deadlineMs: number;
  /** Where it is in the heap; -1 when it is in none. For the heap alone. */
  heapAt: number;
}

/** Many deadlines, the earliest first: so one timer does for all. A binary heap. */
export class DeadlineHeap<T extends Timed> {
  /** Places from `#size` on are empty. They stay: V8 would shrink an array that is emptied, and grow it anew. */
  readonly #items: (T | null)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that is due first; null when there is none. */
  get first(): T | null {
    return this.#size === 0 ? null : this.#items[0]!;
  }

  /** @hot */
  add(item: T): void {
    const at = this.#size++;
    if (at === this.#items.length) this.#items.push(item);
    this.#rise(item, at);
  }

  /** Idempotent. @hot */
  remove(item: T): void {
    const items = this.#items;
    const at = item.heapAt;
    if (at < 0) return;
    item.heapAt = -1;
    const last = items[--this.#size]!;
    items[this.#size] = null;
    if (last === item) return;
    if (at > 0 && items[(at - 1) >> 1]!.deadlineMs > last.deadlineMs) this.#rise(last, at);
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
    const count = this.#size;
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
