/** What has a stream's number. */
export interface Numbered {
  readonly streamId: number;
}

const FIRST_ROOM = 16;

/**
 * The streams of one connection by their numbers: an open-addressed table, where a number's own place follows from the number, so that streams
 * begun one after another stand side by side. Nothing that was here is kept alive by it, which a Map does (see core/roster.ts).
 */
export class StreamTable<T extends Numbered> {
  #places: (T | null)[] = roomFor(FIRST_ROOM);
  #mask = FIRST_ROOM - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @hot */
  get(streamId: number): T | null {
    const places = this.#places;
    for (let at = (streamId >>> 1) & this.#mask; ; at = (at + 1) & this.#mask) {
      const stream = places[at]!;
      if (stream === null || stream.streamId === streamId) return stream;
    }
  }

  /** Takes the place of one with the same number. @hot */
  set(stream: T): void {
    const at = this.#find(stream.streamId);
    if (this.#places[at] === null && ++this.#size * 2 > this.#places.length) {
      this.#grow();
      this.#places[this.#find(stream.streamId)] = stream;
    } else this.#places[at] = stream;
  }

  /** False when there is none. @hot */
  delete(streamId: number): boolean {
    const places = this.#places;
    let gap = this.#find(streamId);
    if (places[gap] === null) return false;
    this.#size--;
    // Whoever stands behind it for want of a place of its own moves up, or would not be found any more.
    for (let at = (gap + 1) & this.#mask; ; at = (at + 1) & this.#mask) {
      const stream = places[at]!;
      if (stream === null) break;
      const home = (stream.streamId >>> 1) & this.#mask;
      if (((at - home) & this.#mask) < ((at - gap) & this.#mask)) continue;
      places[gap] = stream;
      gap = at;
    }
    places[gap] = null;
    return true;
  }

  /** Those that are here at this moment, for the rare cases that concern all. */
  all(): readonly T[] {
    return this.#places.filter((stream): stream is T => stream !== null);
  }

  /** Where it stands, or would. */
  #find(streamId: number): number {
    let at = (streamId >>> 1) & this.#mask;
    for (let stream = this.#places[at]!; stream !== null && stream.streamId !== streamId; stream = this.#places[at]!) {
      at = (at + 1) & this.#mask;
    }
    return at;
  }

  #grow(): void {
    const old = this.#places;
    this.#places = roomFor(old.length * 2);
    this.#mask = this.#places.length - 1;
    for (const stream of old) if (stream !== null) this.#places[this.#find(stream.streamId)] = stream;
    // It may have grown old itself.
    old.fill(null);
  }
}

const roomFor = <T>(count: number): (T | null)[] => new Array<T | null>(count).fill(null);
