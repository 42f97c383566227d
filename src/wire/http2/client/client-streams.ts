import { widened } from '../flow-window.ts';
import { StreamTable } from '../stream-table.ts';
import type { H2Call } from './h2-call.ts';

/** The streams of one connection, from the side that begins them all (RFC 9113, 5.1.1): odd numbers, each higher than the one before. */
export class ClientStreams {
  nextId: number;
  readonly #calls = new StreamTable<H2Call>();

  constructor(firstId: number) {
    this.nextId = firstId;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** The newest that has begun; negative when none has. */
  get lastId(): number {
    return this.nextId - 2;
  }

  /** @hot */
  add(call: H2Call): void {
    this.#calls.set(call);
  }

  /** @hot */
  get(streamId: number): H2Call | null {
    return this.#calls.get(streamId);
  }

  /** False when it is gone already. @hot */
  remove(call: H2Call): boolean {
    return this.#calls.delete(call.streamId);
  }

  /** Nothing may come on a stream that has not begun, and none begins on the other side (RFC 9113, 5.1 and 5.1.1). @hot */
  isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId >= this.nextId;
  }

  /** RFC 9113, 6.9.2: a new initial window moves those of all streams. False where one would be too large. */
  moveWindows(by: number): boolean {
    for (const call of this.#calls.all()) {
      const window = widened(call.sendWindow, by);
      if (Number.isNaN(window)) return false;
      call.sendWindow = window;
    }
    return true;
  }

  /** The server has not looked at those above `streamId`, and will not. */
  unseenAbove(streamId: number, reason: string): void {
    for (const call of this.#calls.all()) if (call.streamId > streamId) call.unseen(reason);
  }

  dropAll(reason: string): void {
    for (const call of this.#calls.all()) call.drop(reason, call.sent);
  }
}
