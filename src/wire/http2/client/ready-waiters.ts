import { MAX_ALARM_MS } from '../../../core/timing.ts';

interface Waiter {
  readonly tell: (ready: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

/** Those who wait, each for a time of its own, until a connection stands. */
export class ReadyWaiters {
  readonly #waiters = new Set<Waiter>();

  wait(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        tell: resolve,
        timer: setTimeout(
          () => {
            this.#waiters.delete(waiter);
            resolve(false);
          },
          Math.min(timeoutMs, MAX_ALARM_MS),
        ),
      };
      this.#waiters.add(waiter);
    });
  }

  tell(ready: boolean): void {
    for (const { tell, timer } of this.#waiters) {
      clearTimeout(timer);
      tell(ready);
    }
    this.#waiters.clear();
  }
}
