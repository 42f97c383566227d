import { vi } from 'vitest';
import { type SupervisionConfig, supervision } from '../../src/config/process-schema.ts';
import type { Config } from '../../src/config/schema.ts';
import type { PlanView } from '../../src/core/control-plane.ts';
import type { Truth, WorkerReport } from '../../src/runtime/ipc/messages.ts';
import { type Change, Fleet } from '../../src/runtime/supervisor/fleet.ts';
import type { GenerationSpec } from '../../src/runtime/supervisor/generation.ts';
import { LeaseDesk } from '../../src/runtime/supervisor/lease-desk.ts';
import { Usher } from '../../src/runtime/supervisor/usher.ts';
import type { WorkerHandle } from '../../src/runtime/supervisor/worker-handle.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeWorker, type Obey } from './fake-worker.ts';

const NO_TRUTH: Truth = { plans: [], unloaded: [], revokedKeys: [], issuedKeys: [], watched: [] };

/** A fleet of fake workers under fake timers: time moves when the test says so. */
export class FleetWorld {
  readonly workers: FakeWorker[] = [];
  readonly ended: { readonly worker: WorkerHandle; readonly replaced: boolean }[] = [];
  readonly dropped: string[] = [];
  readonly usher: Usher;
  readonly fleet: Fleet;
  truth: Truth = NO_TRUTH;
  /** Readiness of variant `v1` as workers report it. */
  readiness = 'ready';
  obey: Obey = (name) => this.#answer(name);

  constructor() {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
    const nowMs = (): number => performance.now();
    this.usher = new Usher({ nowMs, maxWaiting: () => 1_024, onDropped: (face) => this.dropped.push(face) });
    this.fleet = new Fleet({
      spawn: () => {
        const worker = new FakeWorker((name, takes) => this.obey(name, takes));
        this.workers.push(worker);
        return worker;
      },
      usher: this.usher,
      nowMs,
      ended: (worker, replaced) => this.ended.push({ worker, replaced }),
    });
  }

  spec(size: number, settings: Partial<SupervisionConfig> = {}): GenerationSpec {
    return {
      size,
      start: { workers: size, config: {} as Config, file: 'c.yaml', baseDir: '.', version: '1', secrets: new Map() },
      desk: new LeaseDesk({ tenants: [] } as unknown as Config, new FakeClock()),
      supervision: { ...supervision.parse({}), ...settings },
      drain: { graceMs: 1_000, idleMs: 0 },
    };
  }

  /** Those that still live, oldest first. */
  get alive(): readonly FakeWorker[] {
    return this.workers.filter((worker) => !worker.ended);
  }

  change(adopt: () => void = () => undefined): Change {
    return { truth: () => this.truth, adopt };
  }

  /** Starts a fleet whose workers all come up. */
  async start(size: number, settings: Partial<SupervisionConfig> = {}): Promise<void> {
    const started = this.fleet.start(this.spec(size, settings), () => this.truth);
    for (const worker of this.workers) worker.say({ is: 'up' });
    await started;
  }

  async pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
  }

  report(): WorkerReport {
    const plan = { model: 'm', revision: 1, variants: [{ name: 'v1', readiness: this.readiness }] };
    return { number: 0, metrics: '', usage: [], plans: [plan as unknown as PlanView] };
  }

  #answer(name: string): unknown {
    if (name === 'report' || name === 'drain') return this.report();
    return name === 'purge' ? 2 : null;
  }
}
