import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ToThread } from './thread-messages.ts';

/** The one place that names the entry file of a thread: beside this file, and with its extension, in `src/` and in `dist/`. */
const THREAD_FILE = new URL(`./thread-entry${extname(import.meta.filename)}`, import.meta.url);

/** Objects of one thread: 64 MiB of text in pieces of a few bytes end there, and not in the process. */
const MAX_HEAP_MB = 1_024;

/** The side of a thread that its owner sees; a `Worker` is one. */
export interface ThreadPort {
  postMessage(message: ToThread, transfer: ArrayBuffer[]): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  terminate(): Promise<number>;
  unref(): void;
}

export type StartThread = (name: string) => ThreadPort;

export const startThread: StartThread = (name) =>
  new Worker(THREAD_FILE, { name, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
