/** How a stream ended, as far as it matters for what still comes on it. */
export const Ending = { Unknown: 0, Whole: 1, ByUs: 2 } as const;

/** Streams of one connection that are looked back on. */
const KEPT = 256;

/**
 * The last streams that have ended. What comes on one that we have reset was on its way, and is ignored; on one that both sides have ended
 * it is an error (RFC 9113, 5.1).
 */
export class ClosedStreams {
  /** Ids, negative where we have reset the stream. */
  #ids: Int32Array | null = null;
  #next = 0;

  /** @hot */
  add(streamId: number, byUs: boolean): void {
    this.#ids ??= new Int32Array(KEPT);
    this.#ids[this.#next] = byUs ? -streamId : streamId;
    this.#next = (this.#next + 1) % KEPT;
  }

  how(streamId: number): number {
    if (this.#ids === null) return Ending.Unknown;
    if (this.#ids.includes(-streamId)) return Ending.ByUs;
    return this.#ids.includes(streamId) ? Ending.Whole : Ending.Unknown;
  }
}
