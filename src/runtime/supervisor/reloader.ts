import { pathText } from '../../config/change-text.ts';
import { type ConfigChange, diffConfigs } from '../../config/config-diff.ts';
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts';
import { ConfigError, type ConfigProblem } from '../../config/problem.ts';
import type { Log } from '../../telemetry/access-log.ts';
import type { SupervisorMetrics } from '../../telemetry/supervisor-metrics.ts';
import { preflight } from '../preflight.ts';
import { type AuditLog, recorded } from './audit-log.ts';
import type { RollOutcome } from './fleet.ts';

/** What asks for a reload: the signal takes over certificates and secrets too, though the file has not changed. */
export type ReloadCause = 'signal' | 'file';

/** Longest list of changes that a record holds. */
const MAX_PATHS = 50;

export interface ReloaderOptions {
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly current: () => LoadedConfig;
  readonly audit: AuditLog;
  readonly log: Log;
  readonly metrics: SupervisorMetrics;
  /** Has the gateway serve by it. Throws ConfigError where it names what is not there. */
  readonly apply: (next: LoadedConfig, changes: readonly ConfigChange[]) => Promise<RollOutcome>;
}

/** Takes over a changed config file, all of it or nothing: whatever goes wrong, the last good config stays in force. */
export class Reloader {
  readonly #o: ReloaderOptions;
  #running: Promise<void> | null = null;
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
      return this.#running;
    }
    this.#running = this.#reloadAll(cause);
    await this.#running;
    this.#running = null;
  }

  async #reloadAll(first: ReloadCause): Promise<void> {
    let cause: ReloadCause | null = first;
    while (cause !== null) {
      this.#again = null;
      await this.#once(cause);
      cause = this.#again;
    }
  }

  async #once(cause: ReloadCause): Promise<void> {
    const { log, metrics } = this.#o;
    const before = this.#o.current();
    let paths: readonly string[] = [];
    let problem = '';
    try {
      const next = loadConfig(this.#o.file);
      const changes = diffConfigs(before.config, next.config);
      paths = changes.map(({ path }) => pathText(path)).slice(0, MAX_PATHS);
      const problems = [...fixedProblems(changes), ...preflight(next, this.#o.env)];
      if (problems.length > 0) throw new ConfigError(next.file, problems);
      if (cause === 'file' && changes.length === 0) {
        metrics.reloadFailed(false);
        if (this.#refused) log.info('config is the one in force again', { file: this.#o.file, cause });
        this.#refused = false;
        return;
      }
      // Whoever sends the signal may have changed certificates and secrets, which no config shows.
      const outcome = await this.#o.apply(next, cause === 'file' ? changes : []);
      if (outcome.is === 'failed') problem = outcome.problem;
      if (outcome.is === 'busy') problem = 'other new workers were being started; send SIGHUP to try again';
    } catch (error) {
      problem = (error as Error).message;
    }
    this.#refused = problem !== '';
    metrics.reloadFailed(this.#refused);
    const unaudited = recorded(this.#o.audit, {
      action: 'config.reload',
      actor: cause === 'signal' ? 'SIGHUP' : 'file change',
      model: '',
      before: null,
      after: { applied: problem === '', changed: paths },
      reason: problem,
    });
    const fields = { file: this.#o.file, cause, changed: paths };
    if (problem === '') log.info('config reloaded', fields);
    else log.error('config refused; the last good one stays in force', { ...fields, reason: problem });
    if (unaudited !== '') log.error('audit record lost', { reason: unaudited });
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
