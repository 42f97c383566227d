/** A process that runs backend-side.ts, and comes back on the same port after it was killed. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GrpcEngine } from '../../src/wire/grpc/open-channel.ts';

/** Ask for its open calls, say GOAWAY, reset all connections, take no bytes for a while. */
export type BackendOrder = 'open' | 'goaway' | 'cut' | 'stall';
/** A calm one answers everything at once. */
export type BackendMood = 'calm' | 'moody';

const FILE = fileURLToPath(new URL('./backend-side.ts', import.meta.url));

export class BackendProcess {
  readonly engine: GrpcEngine;
  port = 0;
  readonly #mood: BackendMood;
  #child: ChildProcess | null = null;

  static async start(engine: GrpcEngine, mood: BackendMood): Promise<BackendProcess> {
    const backend = new BackendProcess(engine, mood);
    await backend.#begin();
    return backend;
  }

  private constructor(engine: GrpcEngine, mood: BackendMood) {
    this.engine = engine;
    this.#mood = mood;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  order(order: BackendOrder): void {
    if (this.#child?.connected === true) this.#child.send(order);
  }

  /** Calls that have begun and not closed. */
  async open(): Promise<number> {
    const answer = this.#next<{ open: number }>();
    this.order('open');
    return (await answer).open;
  }

  /** As a machine that dies and is replaced a while later. */
  async restart(pauseMs: number): Promise<void> {
    const child = this.#child!;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
    await new Promise((done) => setTimeout(done, pauseMs));
    await this.#begin();
  }

  stop(): void {
    this.#child?.disconnect();
  }

  async #begin(): Promise<void> {
    this.#child = fork(FILE, [this.engine, String(this.port), this.#mood]);
    this.port = (await this.#next<{ port: number }>()).port;
  }

  #next<T>(): Promise<T> {
    const child = this.#child!;
    return new Promise((resolve, reject) => {
      const fail = (code: number | null): void => reject(new Error(`A backend of the soak has ended with code ${code}.`));
      child.once('exit', fail);
      child.once('message', (message) => {
        child.off('exit', fail);
        resolve(message as T);
      });
    });
  }
}
