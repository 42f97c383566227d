import { AsyncLocalStorage } from 'node:async_hooks';
import type { AdminCaller } from '../../core/admin-access.ts';

/** Who asks for what is done now: every record that a request leads to names its token's role and its id, whichever part writes it. */
export class CallerScope {
  readonly #storage = new AsyncLocalStorage<AdminCaller>();

  within<Result>(caller: AdminCaller, run: () => Result): Result {
    return this.#storage.run(caller, run);
  }

  /** Null where nobody asks. */
  get current(): AdminCaller | null {
    return this.#storage.getStore() ?? null;
  }
}
