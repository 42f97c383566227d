import type { Pending } from './backend.ts';

/** What is too long for the event loop, and is done in a thread of its own. */

/** What a task gives: a value that survives structured cloning, and bytes beside it. */
export interface Offloaded<Out> {
  readonly value: Out;
  readonly bytes: readonly Uint8Array[];
}

/** One kind of work: a function of its arguments alone, known by its name on both sides. */
export interface Task<In, Out> {
  readonly name: string;
  /** May give out views on `bytes`. */
  run(input: In, bytes: readonly Uint8Array[]): Offloaded<Out>;
}

/** Who waits for something that can be cancelled. A request is one. */
export interface Waiting {
  call: Pending | null;
}

/** Threads that run tasks. The same code runs in place where there is little to do, so that small requests wait for nobody. */
export interface Offload {
  /** Bytes of text up to which work is done in place; each mechanism knows how its own work compares with reading text. */
  readonly inlineBytes: number;
  /**
   * Runs a task on copies of `bytes`, which must not change meanwhile; while it lasts, `waiting.call` cancels it. Rejects with a
   * GatewayError: too much waits already, it took too long, nobody waits any more.
   */
  run<In, Out>(task: Task<In, Out>, input: In, bytes: readonly Uint8Array[], waiting: Waiting): Promise<Offloaded<Out>>;
}
