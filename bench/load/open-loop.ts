/** Sends each request when it is due, whatever has become of those before it, and measures from then: no waiting is left out. */

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { arrivals } from './arrivals.ts';
import type { LoadOrder, LoadReport, Percentiles } from './load-order.ts';
import { RawConnection } from './raw-connection.ts';

/** A client gives up when an answer is so many deadlines late. */
const GIVE_UP_DEADLINES = 4;
/** Between looks at what is due and at who has waited too long. */
const TICK_MS = 1;

export class OpenLoop {
  readonly #order: LoadOrder;
  readonly #due: Float64Array;
  readonly #request: Buffer;
  readonly #idle: RawConnection[] = [];
  readonly #waiting = new Map<RawConnection, number>();
  readonly #admitted = newHistogram();
  readonly #refused = newHistogram();
  readonly #lateSend = newHistogram();
  #connections = 0;
  #sent = 0;
  #counts = { good: 0, late: 0, refused: 0, failed: 0, lost: 0, unsent: 0 };

  constructor(order: LoadOrder) {
    this.#order = order;
    this.#due = arrivals(order.arrival, order.perSecond, Math.round(order.perSecond * order.seconds), order.seed);
    this.#request = Buffer.from(order.request, 'latin1');
  }

  async run(): Promise<LoadReport> {
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    while (this.#sent < this.#due.length || this.#waiting.size > 0) {
      const nowMs = performance.now() - startedMs;
      this.#sendDue(nowMs, startedMs);
      this.#giveUp(nowMs);
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    const elapsedMs = performance.now() - startedMs;
    const { user, system } = process.cpuUsage(cpu);
    for (const connection of this.#idle) connection.cut();
    return {
      offered: this.#due.length,
      ...this.#counts,
      admittedMs: percentilesOf(this.#admitted),
      refusedMs: percentilesOf(this.#refused),
      lateSendMs: percentilesOf(this.#lateSend),
      cpuPercent: (user + system) / 10 / elapsedMs,
      elapsedMs,
    };
  }

  #sendDue(nowMs: number, startedMs: number): void {
    while (this.#sent < this.#due.length && this.#due[this.#sent]! <= nowMs) {
      const connection = this.#connection();
      if (connection === null) {
        // Its wait for a connection counts, since it was due.
        if (this.#order.waits) return;
        this.#sent++;
        this.#counts.lost++;
        this.#counts.unsent++;
        continue;
      }
      const dueMs = this.#due[this.#sent++]!;
      record(this.#lateSend, nowMs - dueMs);
      this.#waiting.set(connection, dueMs);
      connection.ask(this.#request, (status) => this.#ended(connection, status, performance.now() - startedMs - dueMs));
    }
  }

  #connection(): RawConnection | null {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle === undefined) break;
      if (!idle.closed) return idle;
      this.#connections--;
    }
    if (this.#connections >= this.#order.maxConnections) return null;
    this.#connections++;
    return new RawConnection(this.#order.port);
  }

  #ended(connection: RawConnection, status: number, tookMs: number): void {
    this.#waiting.delete(connection);
    if (connection.closed) this.#connections--;
    else this.#idle.push(connection);
    if (status === 200) {
      record(this.#admitted, tookMs);
      if (tookMs <= this.#order.deadlineMs) this.#counts.good++;
      else this.#counts.late++;
    } else if (status === 429 || status === 503) {
      record(this.#refused, tookMs);
      this.#counts.refused++;
    } else if (status === 0) this.#counts.lost++;
    else this.#counts.failed++;
  }

  #giveUp(nowMs: number): void {
    const latestMs = nowMs - GIVE_UP_DEADLINES * this.#order.deadlineMs;
    for (const [connection, dueMs] of this.#waiting) {
      if (dueMs < latestMs) connection.cut();
    }
  }
}

const newHistogram = (): RecordableHistogram => createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });

function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1000)));
}

function percentilesOf(histogram: RecordableHistogram): Percentiles {
  if (histogram.count === 0) return { p50: 0, p99: 0 };
  return { p50: histogram.percentile(50) / 1000, p99: histogram.percentile(99) / 1000 };
}
