/** The gateway of `bench:wire`: what it has used, and whether it has done what was asked of it. */

import { readWorkers } from '../../scripts/demo/admin-reader.ts';
import { Scrape } from '../../scripts/demo/scrape.ts';
import { SluiceProcess } from '../../scripts/demo/sluice-process.ts';
import { untilReady } from '../../scripts/demo/until-ready.ts';
import { readThreadsUs } from '../cpu-time.ts';
import type { Engine } from './options.ts';
import { VoidRow } from './row.ts';
import { KEY_ID, type Serving, TENANT, type WireShape, WORKERS, wireConfig } from './wire-config.ts';

/** What its own counts must say. */
export interface Expectation {
  readonly face: 'grpc' | 'http';
  readonly serving: Serving;
}

/** Good answers so far, and those that were passed on, or came from the cache. */
interface Counts {
  readonly good: number;
  readonly served: number;
}

/** It counts a request when the last byte has left, which its client may hear of first. */
const COUNT_TRIES = 30;
const COUNT_WAIT_MS = 50;
const PAUSE_SHARE = 3;
const START_LIMIT_MS = 60_000;

export class WireGateway {
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly #sluice: SluiceProcess;
  /** Supervisor and workers. */
  readonly #pids: readonly number[];

  static async start(launcher: readonly string[], backendPort: number, engine: Engine, shape: WireShape): Promise<WireGateway> {
    const config = wireConfig(`127.0.0.1:${backendPort}`, engine, shape);
    const sluice = await SluiceProcess.start({ name: `the gateway on ${engine}`, config, launcher });
    // The admin port answers before there are workers, and has no plans then that could not be ready.
    const workers = await Promise.race([workersOf(sluice), sluice.died]);
    await Promise.race([untilReady(sluice), sluice.died]);
    return new WireGateway(sluice, workers);
  }

  private constructor(sluice: SluiceProcess, workers: readonly number[]) {
    this.#sluice = sluice;
    this.#pids = [sluice.pid, ...workers];
    this.grpcPort = Number(sluice.grpcAddress.split(':').at(-1));
    this.httpPort = Number(new URL(sluice.httpUrl).port);
  }

  /** The key that it has made by itself. */
  get key(): string {
    return this.#sluice.key(TENANT, KEY_ID);
  }

  /** CPU microseconds a request of what `load` asks; `load` says how many these were. Rejects with VoidRow where the counts differ. */
  async costOf(load: () => Promise<number>, expected: Expectation): Promise<number> {
    await this.#expectSameWorkers();
    const before = await this.#counts(expected);
    const startUs = this.#cpuUs();
    const offered = await Promise.race([load(), this.#sluice.died]);
    const us = (this.#cpuUs() - startUs) / offered;
    const { good, served } = await this.#countsFrom(before, offered, expected);
    if (good !== offered || served !== offered)
      throw new VoidRow(`offered ${offered}; the gateway counts ${good} good answers, ${served} of them ${expected.serving}`);
    await this.#expectSameWorkers();
    return us;
  }

  /** Asks what is in no figure, and waits until it is counted: it must not be found among what comes next. */
  async warmUp(load: () => Promise<number>, expected: Expectation): Promise<void> {
    const before = await this.#counts(expected);
    const offered = await load();
    // A question that finds no answer in the cache is good all the same.
    const { good } = await this.#countsFrom({ ...before, served: -Infinity }, offered, expected);
    if (good !== offered) throw new VoidRow(`offered ${offered} to warm up; the gateway counts ${good} good answers`);
  }

  async stop(): Promise<void> {
    await this.#sluice.stop();
  }

  #cpuUs(): number {
    try {
      return this.#pids.reduce((sum, pid) => sum + readThreadsUs(pid), 0);
    } catch (error) {
      throw new VoidRow(`one of the processes ${this.#pids} is gone (${(error as Error).message})`);
    }
  }

  async #countsFrom(before: Counts, offered: number, expected: Expectation): Promise<Counts> {
    for (let tries = 1; ; tries++) {
      const askedMs = performance.now();
      const after = await this.#counts(expected);
      const grown = { good: after.good - before.good, served: after.served - before.served };
      if (tries === COUNT_TRIES || (grown.good >= offered && grown.served >= offered)) return grown;
      // With a thousand models its figures are megabytes: whoever asks without a pause keeps it from all else.
      const pauseMs = Math.max(COUNT_WAIT_MS, PAUSE_SHARE * (performance.now() - askedMs));
      await new Promise((done) => setTimeout(done, pauseMs));
    }
  }

  /** A worker that was replaced has taken its time with it. */
  async #expectSameWorkers(): Promise<void> {
    const now = [this.#sluice.pid, ...(await workersOf(this.#sluice))];
    if (String(now) === String(this.#pids)) return;
    const scrape = await Scrape.of(this.#sluice.adminUrl);
    const reasons = scrape.rows('sluice_worker_restarts_total').filter(({ value }) => value > 0);
    throw new VoidRow(`the processes were ${this.#pids} and are ${now}: ${JSON.stringify(reasons.map(({ labels }) => labels))}`);
  }

  async #counts({ face, serving }: Expectation): Promise<Counts> {
    const scrape = await Scrape.of(this.#sluice.adminUrl);
    return {
      good: scrape.sum('sluice_requests_total', { outcome: 'ok', face }),
      served:
        serving === 'cached'
          ? scrape.sum('sluice_cache_requests_total', { result: 'hit' })
          : scrape.sum('sluice_backend_attempts_total', { code: 'OK' }),
    };
  }
}

/** Process ids, once all of them serve. */
async function workersOf(sluice: SluiceProcess): Promise<readonly number[]> {
  const limitMs = performance.now() + START_LIMIT_MS;
  for (;;) {
    const workers = await readWorkers(sluice);
    if (workers.length === WORKERS && workers.every(({ ready }) => ready)) return workers.map(({ pid }) => pid);
    if (performance.now() > limitMs) {
      const states = workers.map(({ state }) => state).join(', ');
      throw new Error(
        `${sluice.name} has workers "${states}" after ${START_LIMIT_MS / 1000} s; expected ${WORKERS} that serves.`,
      );
    }
    await new Promise((done) => setTimeout(done, COUNT_WAIT_MS));
  }
}
