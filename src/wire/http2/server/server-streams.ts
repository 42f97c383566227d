import { widened } from '../flow-window.ts';
import { StreamTable } from '../stream-table.ts';
import { AnsweredStream } from './answered-stream.ts';
import { ClosedStreams } from './closed-streams.ts';
import type { ServerStream } from './server-stream.ts';

/** The streams of one connection, from the side that begins none (RFC 9113, 5.1.1). */
export class ServerStreams {
  /** The highest that the client has begun. */
  lastId = 0;
  readonly closed = new ClosedStreams();
  #answered = 0;
  readonly #open = new StreamTable<ServerStream>();

  get size(): number {
    return this.#open.size;
  }

  /** Those that have no answer yet. */
  get waiting(): number {
    return this.#open.size - this.#answered;
  }

  /** @hot */
  add(stream: ServerStream): void {
    this.#open.set(stream);
  }

  /** @hot */
  get(streamId: number): ServerStream | null {
    return this.#open.get(streamId);
  }

  /** Puts `after` in the place of a stream that has its answer. */
  replace(after: ServerStream): void {
    this.#open.set(after);
    this.#answered++;
  }

  /** False when it is gone already. @hot */
  remove(stream: ServerStream, byUs: boolean): boolean {
    if (!this.#open.delete(stream.streamId)) return false;
    if (stream instanceof AnsweredStream) this.#answered--;
    this.closed.add(stream.streamId, byUs);
    return true;
  }

  /** Nothing but HEADERS may come on a stream that has not begun; we begin none. @hot */
  isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId > this.lastId;
  }

  /** RFC 9113, 6.9.2: a new initial window moves those of all streams. False where one would be too large. */
  moveWindows(by: number): boolean {
    for (const stream of this.#open.all()) {
      const window = widened(stream.sendWindow, by);
      if (Number.isNaN(window)) return false;
      stream.sendWindow = window;
    }
    return true;
  }

  /** All of them at this moment, for the rare cases that concern all. */
  all(): readonly ServerStream[] {
    return this.#open.all();
  }
}
