import type { HeadNotes } from '../../core/exchange.ts';

/** What an exchange tells its owner, in this order: received or spoiled, then left at any time, closed last and once. */
export interface ExchangeOwner {
  /** The one message, and the client sends nothing after it. Only after `read`. */
  received(message: Buffer): void;
  /**
   * The message cannot be had. `status` is what has been answered already, or Ok when the answer is still to be given.
   */
  spoiled(status: number, text: string): void;
  /** The client went away before its answer was whole. */
  left(): void;
  closed(): void;
}

/** Where the bytes of a message that is not whole yet are counted. */
export interface ByteRoom {
  /** False when there is no room for so many more. */
  take(bytes: number): boolean;
}

/** Who takes a new call. Called with all metadata here and no byte of the message; answering from inside is fine. */
export type AcceptExchange = (exchange: UnaryExchange) => ExchangeOwner;

/** One call as the server sees it, from its metadata to its end. */
export interface UnaryExchange {
  readonly path: string;
  readonly remoteAddress: string;
  /** Milliseconds the client grants; 0 when it states none. */
  readonly timeoutMs: number;
  /** Shared by the calls of a connection whose metadata is the same; null where the engine does not know. */
  readonly notes: HeadNotes | null;
  /** The value of a metadata entry by its lower-case name; empty when it is absent, binary, or there is more than one. */
  header(name: string): string;
  /** Asks for the message. Without it the client gets no room to send one. */
  read(): void;
  /** Takes no more than this of the message, and no piece that `room` has none for: it has refused the call by then. Before `read`. */
  limit(maxBytes: number, room: ByteRoom): void;
  /** The pieces stay as they are until the call has closed. */
  answer(headers: readonly string[], pieces: readonly Uint8Array[]): void;
  refuse(status: number, message: string, headers: readonly string[]): void;
  /** Ends the call without a status. */
  cut(): void;
}
