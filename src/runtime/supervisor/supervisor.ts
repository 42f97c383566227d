import type { LoadedConfig } from '../../config/load-config.ts';
import type { Config } from '../../config/schema.ts';
import type { AdminHolder } from '../../core/admin-access.ts';
import { SystemClock } from '../../core/clock.ts';
import type { ControlPlane } from '../../core/control-plane.ts';
import type { Millis } from '../../core/units.ts';
import { createLog, type Log, type LogFields } from '../../telemetry/access-log.ts';
import { SupervisorMetrics } from '../../telemetry/supervisor-metrics.ts';
import type { Truth } from '../ipc/messages.ts';
import type { SpawnWorker } from '../ipc/worker-process.ts';
import type { TlsPair } from '../tls-files.ts';
import type { CallerScope } from './caller-scope.ts';
import { Comparisons } from './comparisons.ts';
import { ConfigDesk } from './config-desk.ts';
import { ConfigWatch } from './config-watch.ts';
import { Doors, maxConnections } from './doors.ts';
import { Fleet, type RollOutcome } from './fleet.ts';
import { tellReplacement, tellRestart } from './fleet-log.ts';
import { FleetPlane } from './fleet-plane.ts';
import { FleetSums } from './fleet-sums.ts';
import { GeneratedSecrets } from './generated-secrets.ts';
import { asOurs, type GenerationSpec } from './generation.ts';
import { specOf } from './generation-spec.ts';
import { LeaseDesk } from './lease-desk.ts';
import { isReplanning } from './plans/replanning.ts';
import { Records } from './records.ts';
import { Reloader } from './reloader.ts';
import { RolloutDesk } from './rollouts/rollouts-assembly.ts';
import { readSecrets, type SecretValues } from './secret-values.ts';
import type { TruthBook } from './truth-book.ts';
import { Usher } from './usher.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface SupervisorOptions extends LoadedConfig {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly stateDir: string;
  readonly spawn: SpawnWorker;
  /** Hears that another `adminTls` may be in force. */
  readonly renewed: () => void;
}

/**
 * The process that an operator starts: it owns the ports, the config, the secrets, the audit log and the truth about plans, and answers no
 * request itself. Workers do, and may come and go.
 */
export class Supervisor {
  readonly log: Log;
  readonly plane: ControlPlane;
  readonly generated = new GeneratedSecrets();
  readonly callers: CallerScope;
  readonly #o: SupervisorOptions;
  readonly #clock = new SystemClock();
  readonly #records: Records;
  readonly #metrics: SupervisorMetrics;
  readonly #usher: Usher;
  readonly #fleet: Fleet;
  readonly #sums: FleetSums;
  readonly #comparisons: Comparisons;
  readonly #doors: Doors;
  readonly #reloader: Reloader;
  readonly #rollouts: RolloutDesk;
  #loaded: LoadedConfig;
  #secrets: SecretValues;
  #book: TruthBook;
  #desk: LeaseDesk;
  #watch: ConfigWatch | null = null;
  #adminUrl = '';
  #stopped: Promise<void> | null = null;

  /** Throws ConfigError where the config names secrets, certificates or files that are not there. */
  constructor(options: SupervisorOptions) {
    const { config, file, baseDir, stateDir } = options;
    this.#o = options;
    this.#loaded = { config, file, baseDir };
    this.log = createLog(config.telemetry.logLevel);
    this.#secrets = readSecrets(this.#loaded, options.env, this.generated);
    const keepRevisions = (): number => this.#loaded.config.plans.keepRevisions;
    this.#records = new Records(this.#loaded, { stateDir, clock: this.#clock, log: this.log, keepRevisions });
    this.callers = this.#records.callers;
    this.#book = this.#records.firstBook(this.#loaded);
    this.#desk = new LeaseDesk(config, this.#clock);
    const nowMs = (): Millis => this.#clock.nowMs();
    this.#metrics = new SupervisorMetrics({
      workers: () => this.#fleet.all.map(({ number, state, pulse }) => ({ number, state, ...pulse })),
      generation: () => this.#fleet.generation,
      audit: () => this.#records.audit.head,
      compared: () => this.#comparisons.compared(),
      rollouts: () => this.#rollouts.counted(),
      webhookQueue: () => this.#rollouts.webhooks.length,
    });
    this.#usher = new Usher({
      nowMs,
      maxWaiting: () => maxConnections(this.#loaded.config.listen),
      onDropped: (face) => this.#metrics.dropped(face),
    });
    const ended = (worker: WorkerHandle, replaced: boolean): void => this.#noteEnd(worker, replaced);
    this.#fleet = new Fleet({ spawn: options.spawn, usher: this.#usher, nowMs, ended });
    this.#sums = new FleetSums(this.#fleet, this.#metrics);
    this.#comparisons = new Comparisons({
      fleet: this.#fleet,
      policy: (model) => this.#loaded.config.models[model]?.comparison ?? null,
      plans: () => this.#sums.plans(this.#book),
    });
    this.#doors = new Doors({
      connected: (face, socket) => this.#usher.show(face, socket),
      refused: (face) => this.#metrics.dropped(face),
    });
    this.#rollouts = new RolloutDesk({
      clock: this.#clock,
      log: this.log,
      metrics: this.#metrics,
      audit: this.#records.audit,
      fleet: this.#fleet,
      stateDir,
      config: () => this.#loaded.config,
      book: () => this.#book,
      webhookSecrets: () => this.#secrets.webhooks,
      plane: () => this.plane,
    });
    this.plane = this.#buildPlane();
    this.#reloader = new Reloader({
      file,
      env: options.env,
      current: () => this.#loaded,
      audit: this.#records.audit,
      log: this.log,
      metrics: this.#metrics,
      reading: () => this.#watch?.see(),
      apply: (next, changes) =>
        isReplanning(this.#loaded.config, next.config, changes) ? this.#replan(next) : this.#apply(next),
      pause: (ms) => new Promise((done) => setTimeout(done, ms).unref()),
    });
  }

  /** Those of the config in force. */
  get admins(): readonly AdminHolder[] {
    return this.#secrets.admins;
  }

  /** Certificate and key of the admin port, those of the last reload; null for plaintext. */
  get adminTls(): TlsPair | null {
    return this.#secrets.adminTls;
  }

  /** Someone was refused on the admin port. */
  denied(reason: 'token' | 'role', fields: LogFields): void {
    this.#metrics.denied(reason);
    // Strangers must not be able to fill the log.
    if (reason === 'role') this.log.warn('admin request refused', fields);
  }

  /** Null when it was stopped before it was up. Rejects as if what cannot begin were here: a model file, a port. */
  async start(): Promise<{ http: number; grpc: number } | null> {
    try {
      await this.#fleet.start(this.#spec(this.#loaded, this.#secrets, this.#desk), () => this.#truth());
    } catch (error) {
      throw asOurs(error);
    }
    if (this.#stopped !== null) return null;
    this.#records.keeper.keepStated(this.#book, 'the config at the start');
    await this.#rollouts.open();
    const ports = await this.#doors.open(this.#loaded.config.listen);
    if (this.#stopped !== null) {
      // SIGTERM came between the ports: whoever stopped us did not know of the last one.
      this.#doors.close();
      return null;
    }
    const { reload } = this.#loaded.config;
    if (reload.watch) {
      this.#watch = new ConfigWatch(this.#o.file, reload, () => void this.#reloader.reload('file'));
      this.#watch.start();
    }
    return ports;
  }

  /** Keeps generated secrets where the CLI finds them. Returns why it could not, or an empty text. */
  saveSecrets(adminUrl: string): string {
    this.#adminUrl = adminUrl;
    return this.generated.save(this.#o.stateDir, { adminUrl });
  }

  /** Takes over the config file as it is now. */
  reload(): Promise<void> {
    return this.#reloader.reload('signal');
  }

  /** Not ready at once, then no new connections, then the end of what is in flight, then everything else. Safe to call again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** At once: nothing is finished. */
  stopHard(): void {
    this.generated.forget();
    this.#fleet.kill();
  }

  async #stop(): Promise<void> {
    const { shutdown, supervision } = this.#loaded.config;
    this.#watch?.close();
    await this.#rollouts.close();
    const served = this.#fleet.serving.length > 0;
    await this.#fleet.quiesce(supervision);
    if (served && shutdown.delayMs > 0) await new Promise((done) => setTimeout(done, shutdown.delayMs));
    this.#doors.close();
    this.#usher.close();
    await this.#fleet.drain(shutdown);
    this.#records.close();
    this.generated.forget();
    this.log.info('stopped', {});
    await this.log.flush();
  }

  /** Plans alone need no new workers: they change as by hand. */
  async #replan(next: LoadedConfig): Promise<RollOutcome> {
    const before = this.#book;
    this.#book = this.#records.bookUnder(before, next);
    this.#loaded = next;
    const { acknowledgeTimeoutMs } = next.config.supervision;
    const states = this.#book.truth().plans.filter(({ model, revision }) => revision !== before.plan(model)!.revision);
    await Promise.all(states.map((state) => this.#fleet.broadcast('weights', state, acknowledgeTimeoutMs)));
    return { is: 'rolled', generation: this.#fleet.generation };
  }

  /** A changed config: its ports are opened before anything else, and closed again if nothing comes of it. */
  async #apply(next: LoadedConfig): Promise<RollOutcome> {
    const secrets = readSecrets(next, this.#o.env, this.generated);
    const change = await this.#doors.prepare(next.config.listen);
    const desk = this.#desk.under(next.config);
    let adopted = false;
    const outcome = await this.#fleet.roll(this.#spec(next, secrets, desk), {
      // Workers may be replaced long after, when the book is of a later file: this one's weights are no news to it any more.
      truth: () => this.#truth(adopted ? this.#book : this.#book.under(next.config)),
      adopt: () => {
        adopted = true;
        this.#loaded = next;
        this.#secrets = secrets;
        this.#book = this.#records.bookUnder(this.#book, next);
        desk.configure(next.config);
        if (desk !== this.#desk) desk.inherit(this.#desk);
        this.#desk = desk;
        this.#rollouts.configured();
        change.keep();
        this.#o.renewed();
      },
    });
    if (outcome.is !== 'rolled') change.drop();
    else if (this.#adminUrl !== '') this.saveSecrets(this.#adminUrl);
    return outcome;
  }

  #spec(loaded: LoadedConfig, { byPath }: SecretValues, desk: LeaseDesk): GenerationSpec {
    return specOf(loaded, { secrets: byPath, version: this.#o.version, desk });
  }

  #buildPlane(): ControlPlane {
    const [config, book] = [(): Config => this.#loaded.config, (): TruthBook => this.#book];
    return new FleetPlane({
      fleet: this.#fleet,
      sums: this.#sums,
      audit: this.#records.audit,
      comparisons: this.#comparisons,
      planHistory: this.#records.plans,
      keeper: this.#records.keeper,
      rollouts: this.#rollouts.rollouts,
      book,
      history: this.#records.audit,
      access: this.#records.access({ fleet: this.#fleet, config, book }),
      config: new ConfigDesk({ current: () => this.#loaded, fleet: this.#fleet, reloader: () => this.#reloader }),
      acknowledgeTimeoutMs: () => config().supervision.acknowledgeTimeoutMs,
      requestTimeoutMs: (model) => config().models[model]!.timeoutMs,
      roll: () => this.#restart(),
    });
  }

  #truth(book = this.#book): Truth {
    return { ...this.#records.truth(book), watched: this.#rollouts.evidence.watched };
  }

  /** New workers by the same config. The audit record tells who asked for it, and the log what came of it. */
  async #restart(): Promise<RollOutcome> {
    const spec = this.#spec(this.#loaded, this.#secrets, this.#desk);
    const outcome = await this.#fleet.roll(spec, { truth: () => this.#truth(), adopt: () => undefined });
    tellRestart(this.log, outcome);
    return outcome;
  }

  #noteEnd(worker: WorkerHandle, replaced: boolean): void {
    this.#sums.retire(worker);
    if (!replaced) return;
    this.#rollouts.rollouts.workerEnded();
    this.#metrics.restarted(worker.reason ?? 'exit');
    tellReplacement(this.log, worker);
  }
}
