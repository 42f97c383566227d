export interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

/** What is to happen, soonest first; of two at the same time the one that was added first. */
export class EventHeap {
  readonly #heap: (Event & { readonly order: number })[] = [];
  #added = 0;

  add(atMs: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ atMs, run, order: this.#added++ });
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#isBefore(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** The next event until then, taken out; null when there is none. */
  take(untilMs: number): Event | null {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atMs > untilMs) return null;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && this.#isBefore(child, least)) least = child;
      if (least === i) return first;
      this.#swap(i, least);
      i = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a]!, this.#heap[b]!];
    return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
