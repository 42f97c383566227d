import { changeText, pathText } from '../../config/change-text.ts';
import { type ConfigChange, diffConfigs } from '../../config/config-diff.ts';
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts';
import { ConfigError, type ConfigProblem } from '../../config/problem.ts';
import type { ReloadResult } from '../../core/config-control.ts';
import type { Operation } from '../../core/control-plane.ts';
import type { Log } from '../../telemetry/access-log.ts';
import type { SupervisorMetrics } from '../../telemetry/supervisor-metrics.ts';
import { preflight } from '../preflight.ts';
import { type AuditLog, recorded } from './audit-log.ts';
import type { RollOutcome } from './fleet.ts';

/** What asks for a reload: the signal takes over certificates and secrets too, though the file has not changed. */
export type ReloadCause = 'signal' | 'file';

/** Longest list of changes that a record holds. */
const MAX_PATHS = 50;
/** Longest reason of a refusal on record: a file with many mistakes must not make a line longer than a record may be. */
const MAX_REASON_CHARS = 4_096;

export interface ReloaderOptions {
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly current: () => LoadedConfig;
  readonly audit: AuditLog;
  readonly log: Log;
  readonly metrics: Pick<SupervisorMetrics, 'reloadFailed'>;
  /** The file is about to be read: whoever watches it need tell nothing of what it says now. */
  readonly reading: () => void;
  /** Has the gateway serve by it. Throws ConfigError where it names what is not there. */
  readonly apply: (next: LoadedConfig, changes: readonly ConfigChange[]) => Promise<RollOutcome>;
  readonly pause: (ms: number) => Promise<void>;
}

/** What the file says now. */
export interface Look {
  /** Null where it cannot be taken over. */
  readonly next: LoadedConfig | null;
  readonly changes: readonly ConfigChange[];
  /** The changes as they may be shown, at most so many as a record holds. */
  readonly texts: readonly string[];
  /** Why it cannot be taken over; empty when it can. */
  readonly problem: string;
}

/** A roll takes as long as its workers need to start, and the file is not read again unless somebody asks. */
const BUSY_PAUSE_MS = 1_000;
const MAX_BUSY_TRIES = 600;

const OTHER_WORKERS = 'other new workers were being started; ask again when they serve';

/** Takes over a changed config file, all of it or nothing: whatever goes wrong, the last good config stays in force. */
export class Reloader {
  readonly #o: ReloaderOptions;
  #running: Promise<unknown> | null = null;
  #again: ReloadCause | null = null;
  /** What the file said last was refused. */
  #refused = false;

  constructor(options: ReloaderOptions) {
    this.#o = options;
  }

  /** Never rejects. What comes while one is under way is done once more behind it. */
  async reload(cause: ReloadCause): Promise<void> {
    if (this.#running !== null) {
      this.#again = this.#again === 'signal' ? 'signal' : cause;
      await this.#running;
      return;
    }
    await this.#alone(() => this.#once(cause, { actor: cause === 'signal' ? 'SIGHUP' : 'file change', reason: '' }));
  }

  /** As a signal does, for whoever asks and waits for what comes of it. */
  async reloadFor(who: Operation): Promise<ReloadResult> {
    if (this.#running !== null) return { is: 'busy' };
    return this.#alone(() => this.#once('signal', who, 1));
  }

  /** What a reload would take over, or why it would be refused. Changes nothing. */
  look(): Look {
    try {
      const next = loadConfig(this.#o.file);
      const changes = diffConfigs(this.#o.current().config, next.config);
      const texts = changes.slice(0, MAX_PATHS).map((change) => `${pathText(change.path)}: ${changeText(change)}`);
      const problems = [...fixedProblems(changes), ...preflight(next, this.#o.env)];
      if (problems.length === 0) return { next, changes, texts, problem: '' };
      return { next: null, changes, texts, problem: new ConfigError(next.file, problems).message };
    } catch (error) {
      return { next: null, changes: [], texts: [], problem: (error as Error).message };
    }
  }

  async #alone(run: () => Promise<ReloadResult>): Promise<ReloadResult> {
    const first = run();
    this.#running = first.then(() => this.#rest());
    await this.#running;
    this.#running = null;
    return first;
  }

  async #rest(): Promise<void> {
    while (this.#again !== null) {
      const cause: ReloadCause = this.#again;
      this.#again = null;
      await this.#once(cause, { actor: cause === 'signal' ? 'SIGHUP' : 'file change', reason: '' });
    }
  }

  async #once(cause: ReloadCause, who: Operation, maxTries = MAX_BUSY_TRIES): Promise<ReloadResult> {
    const { log, metrics, file } = this.#o;
    this.#o.reading();
    const look = this.look();
    if (look.next === null) return this.#refuse(cause, who, look, look.problem);
    if (cause === 'file' && look.changes.length === 0) {
      metrics.reloadFailed(false);
      if (this.#refused) log.info('config is the one in force again', { file, cause });
      this.#refused = false;
      return { is: 'applied', generation: 0, changed: [] };
    }
    const unaudited = this.#record('config.reload', who, look);
    if (unaudited !== '') {
      this.#note(cause, look, `the audit record could not be written: ${unaudited}`);
      return { is: 'unaudited', problem: unaudited };
    }
    const outcome = await this.#apply(cause, look.next, look.changes, maxTries);
    if (outcome.is === 'busy') return this.#refuse(cause, who, look, OTHER_WORKERS);
    if (outcome.is === 'failed') return this.#refuse(cause, who, look, outcome.problem);
    this.#note(cause, look, '');
    return { is: 'applied', generation: outcome.generation, changed: look.texts };
  }

  /** Nobody asks again for a change of the file or a signal: these wait for new workers that others have asked for. */
  async #apply(cause: ReloadCause, next: LoadedConfig, changes: readonly ConfigChange[], maxTries: number): Promise<RollOutcome> {
    try {
      for (let tries = 1; ; tries++) {
        // Whoever sends the signal may have changed certificates and secrets, which no config shows.
        const outcome = await this.#o.apply(next, cause === 'file' ? changes : []);
        if (outcome.is !== 'busy' || tries === maxTries) return outcome;
        if (tries === 1) this.#o.log.info('config waits for new workers that are being started', { file: this.#o.file });
        await this.#o.pause(BUSY_PAUSE_MS);
      }
    } catch (error) {
      return { is: 'failed', problem: (error as Error).message };
    }
  }

  /** The config in force stays. */
  #refuse(cause: ReloadCause, who: Operation, look: Look, problem: string): ReloadResult {
    const unaudited = this.#record('config.refused', { ...who, reason: problem.slice(0, MAX_REASON_CHARS) }, look);
    if (unaudited !== '') this.#o.log.error('audit record lost', { reason: unaudited });
    this.#note(cause, look, problem);
    return { is: 'refused', problem };
  }

  #record(action: string, { actor, reason }: Operation, { texts }: Look): string {
    return recorded(this.#o.audit, { action, actor, model: '', before: null, after: { changed: texts }, reason });
  }

  #note(cause: ReloadCause, { changes }: Look, problem: string): void {
    const { log, metrics, file } = this.#o;
    this.#refused = problem !== '';
    metrics.reloadFailed(this.#refused);
    const fields = { file, cause, changed: changes.slice(0, MAX_PATHS).map(({ path }) => pathText(path)) };
    if (problem === '') log.info('config reloaded', fields);
    else log.error('config refused; the last good one stays in force', { ...fields, reason: problem });
  }
}

function fixedProblems(changes: readonly ConfigChange[]): ConfigProblem[] {
  return changes
    .filter(({ appliedBy }) => appliedBy === 'restart')
    .map(({ path }) => ({
      path: pathText(path),
      message: 'found changed; expected what it was at the start: restart the gateway for this',
    }));
}
