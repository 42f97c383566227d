import type { Batch } from './batch.ts';
import type { RunJob, RunResult } from './thread-messages.ts';

/** Messages under way to a thread: one that it works on, and one that waits there so that it never idles for a round trip. */
const MAX_PARCELS = 2;
/** Work in one message: about ten times what a message costs. Runs that take longer travel alone, so that others can be withdrawn. */
const PARCEL_US = 1_000;
const PARCEL_JOBS = 64;

/** Runs that travel in one message. */
export interface Parcel {
  readonly jobs: RunJob[];
  readonly buffers: ArrayBuffer[];
  costUs: number;
  /** Runs of it that have not ended. */
  left: number;
}

interface Entry {
  readonly batch: Batch;
  readonly parcel: Parcel;
}

/** What one thread has been given and has not finished, bounded in messages and in what each may hold. */
export class Workload {
  /** By run, in the order given. */
  readonly #entries = new Map<number, Entry>();
  #open: Parcel = { jobs: [], buffers: [], costUs: 0, left: 0 };
  #sent = 0;
  #expectedUs = 0;

  get size(): number {
    return this.#entries.size;
  }

  get expectedUs(): number {
    return this.#expectedUs;
  }

  /** The run that the thread works on; null when there is none. */
  get oldest(): Batch | null {
    for (const entry of this.#entries.values()) return entry.batch;
    return null;
  }

  accepts(costUs: number): boolean {
    if (this.#open.jobs.length === 0) return this.#sent < MAX_PARCELS;
    return this.#fits(costUs) || this.#sent + 1 < MAX_PARCELS;
  }

  /** True when the open parcel has to be sent before a run of this cost is added. */
  isFullFor(costUs: number): boolean {
    return this.#open.jobs.length > 0 && !this.#fits(costUs);
  }

  add(batch: Batch, job: RunJob): void {
    const parcel = this.#open;
    parcel.jobs.push(job);
    parcel.buffers.push(job.buffer);
    parcel.costUs += parcelCost(batch.costUs);
    parcel.left++;
    this.#expectedUs += parcelCost(batch.costUs);
    this.#entries.set(batch.run, { batch, parcel });
  }

  /** The open parcel, to be sent; null when it is empty. */
  seal(): Parcel | null {
    const parcel = this.#open;
    if (parcel.jobs.length === 0) return null;
    this.#open = { jobs: [], buffers: [], costUs: 0, left: 0 };
    this.#sent++;
    return parcel;
  }

  /** The batch of a run that has ended; null when it is not known here. */
  finish(result: RunResult): Batch | null {
    const entry = this.#entries.get(result.run);
    if (entry === undefined) return null;
    this.#entries.delete(result.run);
    this.#expectedUs -= parcelCost(entry.batch.costUs);
    if (--entry.parcel.left === 0) this.#sent--;
    return entry.batch;
  }

  /** All batches that have not ended. */
  batches(): Batch[] {
    return Array.from(this.#entries.values(), (entry) => entry.batch);
  }

  clear(): void {
    this.#entries.clear();
    this.#expectedUs = 0;
  }

  #fits(costUs: number): boolean {
    return this.#open.jobs.length < PARCEL_JOBS && this.#open.costUs + parcelCost(costUs) <= PARCEL_US;
  }
}

/** A run whose cost is not known yet fills a parcel. */
const parcelCost = (costUs: number): number => (costUs === 0 ? PARCEL_US : costUs);
