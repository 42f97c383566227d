import type { Pending } from '../core/backend.ts';
import type { QueueRefusal } from '../core/gate.ts';

/** What stands in a queue. */
export interface Queued {
  /** Its turn will not come. Called once, and never after it was handed out or cancelled. */
  refused(reason: QueueRefusal): void;
}

/** Takes an entry out of the queue that it is in. */
export interface EntryOwner {
  remove(entry: QueueEntry): void;
}

/** The entries of one tenant in one class, oldest first, in a ring with those of the others. */
export class Lane {
  readonly tenant: string;
  oldest: QueueEntry | null = null;
  newest: QueueEntry | null = null;
  length = 0;
  /** Cost that the tenant has saved up for. */
  deficit = 0;
  next: Lane = this;
  previous: Lane = this;

  constructor(tenant: string) {
    this.tenant = tenant;
  }
}

/** One place in the queue, linked twice: among its tenant's entries, and among all of its class by age. */
export class QueueEntry implements Pending {
  readonly queued: Queued;
  readonly classIndex: number;
  readonly cost: number;
  readonly sinceMs: number;
  readonly deadlineMs: number;
  readonly #owner: EntryOwner;
  /** Null when it stands in the queue no more. */
  lane: Lane | null = null;
  older: QueueEntry | null = null;
  newer: QueueEntry | null = null;
  olderOfAll: QueueEntry | null = null;
  newerOfAll: QueueEntry | null = null;

  constructor(
    owner: EntryOwner,
    queued: Queued,
    facts: { readonly classIndex: number; readonly cost: number; readonly sinceMs: number; readonly deadlineMs: number },
  ) {
    this.#owner = owner;
    this.queued = queued;
    this.classIndex = facts.classIndex;
    this.cost = facts.cost;
    this.sinceMs = facts.sinceMs;
    this.deadlineMs = facts.deadlineMs;
  }

  /** Nobody waits for its turn any more. Nothing happens when it has come, or was refused. */
  cancel(): void {
    if (this.lane !== null) this.#owner.remove(this);
  }
}
