import type { SupervisorLine } from './supervisor-line.ts';
import type { WorkerGateway } from './worker-gateway.ts';

const PULSE_MS = 1_000;
/** Figures cost time to gather and to send: of a hundred milliseconds at most one goes there. */
const REPORT_SHARE = 0.01;

/** Tells the supervisor every second that this worker lives, and what it has counted: the sums survive the worker. */
export class PulseSender {
  readonly #gateway: Pick<WorkerGateway, 'isReady' | 'counters'>;
  readonly #line: Pick<SupervisorLine, 'say' | 'sayWhole'>;
  readonly #timer: NodeJS.Timeout;
  #reportDueMs = 0;
  #busy = false;

  constructor(gateway: Pick<WorkerGateway, 'isReady' | 'counters'>, line: Pick<SupervisorLine, 'say' | 'sayWhole'>) {
    this.#gateway = gateway;
    this.#line = line;
    this.#timer = setInterval(() => this.#tick(), PULSE_MS).unref();
  }

  /** At once, where readiness has changed. */
  pulse(): void {
    const { user, system } = process.cpuUsage();
    const pulse = { ready: this.#gateway.isReady(), residentBytes: process.memoryUsage.rss(), cpuUs: user + system };
    this.#line.say({ is: 'pulse', pulse });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.pulse();
    const nowMs = performance.now();
    if (this.#busy || nowMs < this.#reportDueMs) return;
    this.#busy = true;
    void this.#report(nowMs).finally(() => {
      this.#busy = false;
    });
  }

  async #report(beganMs: number): Promise<void> {
    const report = await this.#gateway.counters();
    const tookMs = performance.now() - beganMs;
    await this.#line.sayWhole({ is: 'report', report });
    // A little less than the interval of the ticks, which come late rather than early.
    this.#reportDueMs = beganMs + Math.max(PULSE_MS / 2, tookMs / REPORT_SHARE);
  }
}
