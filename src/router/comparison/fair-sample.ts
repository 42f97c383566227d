import { affinityOf } from '../affinity.ts';

/** What can be in a sample: something that came with a request. */
export interface Sampled {
  readonly requestId: string;
}

/** A sample with how many it was taken from. Survives a structured clone. */
export interface SampleState<Item extends Sampled> {
  readonly seen: number;
  readonly items: readonly Item[];
}

/**
 * At most so many of all that came, each with the same chance: those whose request ids have the smallest hashes. No chance is drawn, so
 * the sample of all workers together is the sample of their samples, in whatever order they are added.
 */
export class FairSample<Item extends Sampled> {
  readonly #keep: number;
  /** Ascending by hash, and by id where hashes are equal. */
  readonly #kept: Ranked<Item>[] = [];
  #seen = 0;

  constructor(keep: number) {
    this.#keep = keep;
  }

  get state(): SampleState<Item> {
    return { seen: this.#seen, items: this.#kept.map(({ item }) => item) };
  }

  /** Counts one more; `make` is asked for it only when it has a place, since some cost work to make. */
  offer(requestId: string, make: () => Item): void {
    this.#seen++;
    const rank = rankOf(requestId);
    if (this.#hasPlace(rank, requestId)) this.#insert(rank, make());
  }

  /** Adds what another sample of at most as many has kept, and all that it has seen. */
  add({ seen, items }: SampleState<Item>): void {
    this.#seen += seen;
    for (const item of items) {
      const rank = rankOf(item.requestId);
      if (this.#hasPlace(rank, item.requestId)) this.#insert(rank, item);
    }
  }

  #hasPlace(rank: number, requestId: string): boolean {
    const last = this.#kept.at(-1);
    return this.#kept.length < this.#keep || isBefore(rank, requestId, last!);
  }

  #insert(rank: number, item: Item): void {
    let at = this.#kept.length;
    while (at > 0 && isBefore(rank, item.requestId, this.#kept[at - 1]!)) at--;
    this.#kept.splice(at, 0, { rank, item });
    if (this.#kept.length > this.#keep) this.#kept.pop();
  }
}

interface Ranked<Item> {
  readonly rank: number;
  readonly item: Item;
}

// The split and the choice of copies hash the same id: a salt keeps the sample apart from them.
const rankOf = (requestId: string): number => affinityOf(`disagreement ${requestId}`);

function isBefore<Item extends Sampled>(rank: number, requestId: string, other: Ranked<Item>): boolean {
  return rank === other.rank ? requestId < other.item.requestId : rank < other.rank;
}
