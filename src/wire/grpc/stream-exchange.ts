import type { HeadNotes } from '../../core/exchange.ts';

/** What a call of many messages tells its owner: any of the first four in any order, then spoiled or left or neither, closed last and once. */
export interface StreamOwner {
  /** One message; one for each `read`. */
  received(message: Buffer): void;
  /** `bytes` of a message that is not whole are here; 0 between messages. `isNew` when the message before it has come whole. */
  arriving(bytes: number, isNew: boolean): void;
  /** The client sends nothing more. Only after `read`. */
  finished(): void;
  /** A message cannot be had, and the call has been ended with `status`. */
  spoiled(status: number, text: string): void;
  /** The client went away before the call had its status. */
  left(): void;
  closed(): void;
}

/** Who takes a new call. Called with all metadata here and no byte of a message; ending the call from inside is fine. */
export type AcceptStream = (exchange: StreamExchange) => StreamOwner;

/** One call with many messages as the server sees it. It reads and writes one message at a time, as its owner asks. */
export interface StreamExchange {
  readonly path: string;
  readonly remoteAddress: string;
  /** Shared by the calls of a connection whose metadata is the same; null where the engine does not know. */
  readonly notes: HeadNotes | null;
  /** Milliseconds the client grants to the whole call; 0 when it states none. */
  readonly timeoutMs: number;
  /** The value of a metadata entry by its lower-case name; empty when it is absent, binary, or there is more than one. */
  header(name: string): string;
  /** Tells the client that its call is taken. */
  open(): void;
  /** Asks for one message, or the news that none will come. */
  read(): void;
  /** Takes no more bytes from the client, also of a message that has begun. For good: `end` follows. */
  hold(): void;
  /** Sends one message. `written` hears when it was handed over, and never if the call ends before. */
  write(pieces: readonly Uint8Array[], written: () => void): void;
  /** Ends the call, after what is written. */
  end(status: number, message: string, headers: readonly string[]): void;
  /** Ends the call without a status. */
  cut(): void;
}
