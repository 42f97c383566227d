/** What the main thread and the threads of the pool say to each other. Everything here survives structured cloning. */

/** One task to run. */
export interface ToThread {
  readonly task: string;
  readonly input: unknown;
  /** All bytes, each at an aligned place. Transferred. */
  readonly buffer: ArrayBuffer;
  /** Offset and length of each: two numbers for each run of bytes. */
  readonly places: readonly number[];
}

export type FromThread =
  | { readonly is: 'done'; readonly value: unknown; readonly bytes: readonly Uint8Array[] }
  /** The task threw, which is a mistake in it. */
  | { readonly is: 'threw'; readonly reason: string };
