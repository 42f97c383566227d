import type { ToSupervisor } from '../ipc/messages.ts';

/** Longest wait for the last words to leave this process. */
const LAST_WORDS_MS = 500;

/** The worker's way to its supervisor. What cannot be said any more, because the supervisor is gone, is dropped: the end follows. */
export class SupervisorLine {
  #taken = 0;

  say(message: ToSupervisor): void {
    if (process.connected) process.send!(message, undefined, {}, nothing);
  }

  /** Resolves when it has left this process: a supervisor that stands still must not have messages of any size wait for it in memory. */
  sayWhole(message: ToSupervisor): Promise<void> {
    if (!process.connected) return Promise.resolve();
    return new Promise((resolve) => process.send!(message, undefined, {}, () => resolve()));
  }

  /** Resolves when it has left this process, or after a bounded wait. */
  sayLast(message: ToSupervisor): Promise<void> {
    if (!process.connected) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, LAST_WORDS_MS);
      process.send!(message, undefined, {}, () => {
        clearTimeout(limit);
        resolve();
      });
    });
  }

  /** One more connection is ours. Told once a turn of the event loop, however many they were. */
  took(): void {
    if (this.#taken++ === 0) setImmediate(this.#sayTaken);
  }

  readonly #sayTaken = (): void => {
    const count = this.#taken;
    this.#taken = 0;
    this.say({ is: 'taken', count });
  };
}

const nothing = (): void => undefined;
