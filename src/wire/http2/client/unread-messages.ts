import { MESSAGE_HEAD_BYTES } from '../message-reader.ts';

/** So many that were taken may stand before the first that was not: with thousands of small ones it costs too much to move all for each. */
const MAX_TAKEN = 1_024;

/** Messages that came and that nobody has asked for, in their order. The window of their stream bounds them. */
export class UnreadMessages {
  /** As they came: with their heads. */
  bytes = 0;
  readonly #messages: Buffer[] = [];
  #first = 0;

  get isEmpty(): boolean {
    return this.#messages.length === this.#first;
  }

  add(message: Buffer): void {
    this.#messages.push(message);
    this.bytes += message.length + MESSAGE_HEAD_BYTES;
  }

  /** There has to be one. */
  take(): Buffer {
    const message = this.#messages[this.#first++]!;
    this.bytes -= message.length + MESSAGE_HEAD_BYTES;
    if (this.isEmpty) this.clear();
    else if (this.#first > MAX_TAKEN) {
      this.#messages.splice(0, this.#first);
      this.#first = 0;
    }
    return message;
  }

  clear(): void {
    this.#messages.length = 0;
    this.#first = 0;
    this.bytes = 0;
  }
}
