import type { Socket } from 'node:net';
import type { ToSupervisor, ToWorker } from './messages.ts';

/** How a process ended. */
export interface ProcessEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string;
}

/** A worker as its supervisor holds it; tests stand in for it. */
export interface WorkerProcess {
  readonly pid: number;
  /** Never throws: what cannot be said to a process that is gone is told by its end. The socket stays open here too. */
  send(message: ToWorker, socket: Socket | null): void;
  listen(heard: (message: ToSupervisor) => void, ended: (end: ProcessEnd) => void): void;
  /** At once and for good. */
  kill(): void;
}

export type SpawnWorker = () => WorkerProcess;
