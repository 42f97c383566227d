import type { Socket } from 'node:net';
import { MemoryUsageBook } from '../../accounting/usage-book.ts';
import type { KeyRing } from '../../auth/key-ring.ts';
import { OnnxHost } from '../../backends/onnx/onnx-host.ts';
import { Flights } from '../../cache/flights.ts';
import { MemoryCacheStore } from '../../cache/memory-store.ts';
import type { Secrets } from '../../config/secrets.ts';
import { SystemClock } from '../../core/clock.ts';
import type { LeaseOffice } from '../../core/limits.ts';
import type { RequestStory } from '../../core/request-story.ts';
import type { Route } from '../../core/traffic.ts';
import { GatewayFront } from '../../gateway/gateway-front.ts';
import type { ThreadPool } from '../../gateway/offload/thread-pool.ts';
import { LocalByteBudget } from '../../limits/byte-budget.ts';
import { LocalConcurrencyCap } from '../../limits/concurrency.ts';
import { GrpcProtocol } from '../../protocols/grpc/grpc-protocol.ts';
import { HttpProtocol } from '../../protocols/http-protocol.ts';
import type { InflateLimits } from '../../protocols/rest/inflation.ts';
import { EvidenceCells } from '../../router/rollout/evidence-cells.ts';
import { SequenceIds } from '../../router/sequence-ids.ts';
import { createLog, type Log } from '../../telemetry/access-log.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { RequestObserver } from '../../telemetry/observer.ts';
import { SystemLookup } from '../../wire/dns/system-lookup.ts';
import { EndpointEvents } from '../endpoint-events.ts';
import type { Face, PlanState, Truth, WorkerReport, WorkerStart } from '../ipc/messages.ts';
import { Leases } from '../leases.ts';
import { buildLifecycle } from '../lifecycle-assembly.ts';
import { Listeners } from '../listeners.ts';
import { LiveSnapshot } from '../live-snapshot.ts';
import { narrowingOf } from '../narrowing.ts';
import { buildOffloadPool } from '../offload-pool.ts';
import { planOfState } from '../plan-state.ts';
import { allVariants, planView } from '../plan-view.ts';
import { PressureWatch } from '../pressure-watch.ts';
import { logReadiness } from '../readiness-log.ts';
import { sequenceSecret } from '../sequence-secret.ts';
import { addIssued, buildKeys } from '../tenants.ts';
import { TlsFiles } from '../tls-files.ts';
import { buildRoutes } from '../variants.ts';
import { Warmer } from '../warmer.ts';
import { buildComparing, type Comparing } from './comparing.ts';
import { GivenSecrets } from './given-secrets.ts';
import { VariantMover } from './variant-mover.ts';

/** Misses in flight, above what the process cap lets in by default; and requests that wait for one, who are all told in one tick. */
const FLIGHT_LIMITS = { maxKeys: 65_536, maxWaiters: 256 };

/** The data plane of one worker: builds everything that the config asks for, serves on connections it is handed, and ends without losing a request. */
export class WorkerGateway {
  readonly log: Log;
  readonly mover: VariantMover;
  readonly keys: KeyRing;
  readonly comparing: Comparing;
  readonly evidence = new EvidenceCells();
  readonly #start: WorkerStart;
  readonly #clock = new SystemClock();
  readonly #metrics: Metrics;
  readonly #observer: RequestObserver;
  readonly #host: OnnxHost;
  readonly #live: LiveSnapshot;
  readonly #warmer: Warmer;
  readonly #sequences: SequenceIds;
  readonly #offload: ThreadPool;
  readonly #leases: Leases;
  readonly #watch: PressureWatch;
  readonly #store: MemoryCacheStore;
  readonly #usage = new MemoryUsageBook();
  readonly #listeners: Listeners;
  readonly #onReadiness: () => void;
  #serving = false;
  /** Gathered so far. */
  #reports = 0;
  #drained: Promise<WorkerReport> | null = null;

  /** `onReadiness` hears whenever `isReady` may say something else. */
  constructor(start: WorkerStart, office: LeaseOffice, onReadiness: () => void) {
    const { config, file, baseDir, version } = start;
    this.#start = start;
    this.#onReadiness = onReadiness;
    this.log = createLog(config.telemetry.logLevel, undefined, { worker: start.number });
    this.#metrics = new Metrics({ version });
    this.#observer = new RequestObserver({ config: config.telemetry, clock: this.#clock, metrics: this.#metrics, log: this.log });
    this.#host = new OnnxHost({ threads: config.onnx.threads, clock: this.#clock });
    this.#offload = buildOffloadPool(config.offload, this.log);
    const secrets = new GivenSecrets(start.secrets);
    this.#sequences = new SequenceIds(sequenceSecret(config, secrets, file));
    this.#leases = new Leases(config.tenants.length, config.supervision.leaseTimeoutMs, { office, clock: this.#clock });
    this.keys = buildKeys(config, { secrets, configFile: file }, this.#leases);
    const tls = new TlsFiles(baseDir, file);
    this.#watch = new PressureWatch(config.overload.pressure, {
      processes: start.workers,
      log: this.log,
      clock: this.#clock,
      closeIdle: () => this.#listeners.closeIdle(),
    });
    this.#live = new LiveSnapshot(this.#buildRoutes(secrets, tls), this.keys);
    this.#warmer = new Warmer({
      live: this.#live,
      offload: this.#offload,
      narrowing: narrowingOf(config),
      configFile: file,
      onState: (model, variant) => {
        this.#onReadiness();
        logReadiness(this.log, model, variant);
      },
    });
    const rollouts = { evidence: this.evidence, isWatched: (model: string) => this.evidence.isWatched(model) };
    this.comparing = buildComparing(config, { clock: this.#clock, metrics: this.#metrics, log: this.log, ...rollouts });
    this.#store = new MemoryCacheStore(config.cache, this.#watch.pressure);
    this.mover = new VariantMover({
      live: this.#live,
      warmer: this.#warmer,
      clock: this.#clock,
      forget: (model) => this.#store.purge(model),
      pause: (ms) => new Promise((done) => setTimeout(done, ms).unref()),
    });
    const bytes = new LocalByteBudget(config.limits.maxInFlightBytes);
    this.#listeners = new Listeners(config, {
      front: this.#buildFront(bytes),
      files: tls,
      bytes,
      log: this.log,
      onRejected: (code) => this.#metrics.rejected(code),
      onGrpcRefused: () => this.#metrics.grpcRefused(),
      isReady: () => this.isReady(),
    });
    this.#showGauges(bytes);
  }

  /** Warms the variants. Rejects when a model file cannot be loaded. */
  async warm(): Promise<void> {
    for (const { model, variant } of this.#start.truth.unloaded) {
      const route = this.#live.current.route(model);
      const found = route === null ? undefined : allVariants(route).find(({ name }) => name === variant);
      // Its file may be gone by now: that is what it was taken out for.
      if (found !== undefined) this.#warmer.unload(model, found);
    }
    this.#offload.start();
    await Promise.all([this.#warmer.start(), this.#observer.ready()]);
  }

  /** What was changed since the config was written. From the first time on this worker serves. */
  adopt({ plans, unloaded, revokedKeys, issuedKeys, watched }: Truth): void {
    this.evidence.watch(watched);
    for (const plan of plans) this.replan(plan);
    for (const key of issuedKeys) addIssued(this.keys, key);
    for (const id of revokedKeys) this.keys.revoke(id);
    this.mover.settle(unloaded);
    this.#serving = true;
    this.#onReadiness();
  }

  take(face: Face, socket: Socket): void {
    this.#listeners.take(face, socket);
  }

  replan(state: PlanState): void {
    const route = this.#live.current.route(state.model);
    if (route === null) throw new Error(`This worker has no model "${state.model}".`);
    this.#live.replace({ ...route, plan: planOfState(route.plan, state) });
  }

  explain(requestId: string): readonly RequestStory[] {
    return this.#observer.explain(requestId);
  }

  /** Entries dropped; an empty model purges all. */
  purge(model: string): number {
    return this.#store.purge(model);
  }

  /** Entries that a purge would drop. */
  cached(model: string): number {
    return this.#store.count(model);
  }

  get routes(): readonly Route[] {
    return this.#live.current.routes;
  }

  /** Serving, not draining, and at least one model can answer: one model's dead server must not take the others out of rotation. */
  isReady(): boolean {
    return this.#serving && this.#live.current.routes.some((route) => route.contract !== null);
  }

  async report(): Promise<WorkerReport> {
    const number = ++this.#reports;
    return this.#reportWith(number, await this.#metrics.text());
  }

  /** The same without gauges: what has to be kept when this worker is no more. */
  async counters(): Promise<WorkerReport> {
    const number = ++this.#reports;
    return this.#reportWith(number, await this.#metrics.counterText());
  }

  quiesce(): void {
    this.#serving = false;
    this.#onReadiness();
  }

  /** No new requests, then the end of what is in flight, then everything else. The last figures are complete. */
  drain(): Promise<WorkerReport> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<WorkerReport> {
    this.quiesce();
    const limits = this.#start.config.shutdown;
    await this.#listeners.drain(limits);
    this.#leases.close();
    this.#watch.close();
    this.#warmer.close();
    await this.comparing.copies.close();
    const last = await this.report();
    const variants = this.#live.current.routes.flatMap(allVariants);
    await Promise.all(variants.map((variant) => variant.backend.close()));
    await this.#host.close();
    await this.#offload.close();
    await this.#observer.shutdown();
    return last;
  }

  #reportWith(number: number, metrics: string): WorkerReport {
    return { number, metrics, usage: this.#usage.totals(''), plans: this.#live.current.routes.map(planView) };
  }

  #buildRoutes(secrets: Secrets, tls: TlsFiles): Route[] {
    const { config, baseDir } = this.#start;
    const lookup = new SystemLookup();
    const events = new EndpointEvents({
      log: this.log,
      metrics: this.#metrics,
      onLost: (model, variant, reason) => this.#warmer.follow(model, variant, reason),
    });
    return buildRoutes(config, {
      clock: this.#clock,
      lookup: (host) => lookup.lookup(host),
      lie: (model, request, prediction) => this.#live.current.route(model)?.contract?.plainLie(request, prediction) ?? '',
      onEndpoint: (model, variant, event) => events.on(model, variant, event),
      tally: this.#metrics,
      host: this.#host,
      offload: this.#offload,
      secrets,
      tls,
      baseDir,
    });
  }

  #buildFront(bytes: LocalByteBudget): GatewayFront {
    const { config, version } = this.#start;
    const onLost = (error: unknown): void => this.log.error('lost error', { err: error });
    const { lifecycle, admit } = buildLifecycle({
      clock: this.#clock,
      limiter: this.#leases.limiter,
      processCap: new LocalConcurrencyCap(config.limits.maxInFlightRequests),
      bytes,
      maxBodyBytes: config.limits.maxBodyBytes,
      pressure: this.#watch.pressure,
      store: this.#store,
      flights: new Flights(FLIGHT_LIMITS, onLost),
      maxCachedRequestBytes: config.cache.maxRequestBytes,
      usage: this.#usage,
      copies: this.comparing.copies,
      evidence: this.evidence,
      sequences: this.#sequences,
      observer: this.#observer,
      tally: this.#metrics,
      onLost,
    });
    const { maxTensors, maxJsonDepth, maxJsonBytes, maxBodyBytes, maxInflateRatio } = config.limits;
    const holdBytes: InflateLimits['holdBytes'] = (ctx, size) => admit.holdBytes(ctx, size);
    const isReady = (): boolean => this.isReady();
    const server = { maxTensors, offload: this.#offload, serverName: 'sluice', serverVersion: version, isReady };
    return new GatewayFront({
      clock: this.#clock,
      http: new HttpProtocol({ ...server, maxJsonDepth, maxJsonBytes, inflate: { maxBodyBytes, maxInflateRatio, holdBytes } }),
      grpc: new GrpcProtocol({ ...server, maxTypedBytes: maxJsonBytes, reflection: config.listen.grpc.reflection }),
      lifecycle,
      admit,
      observer: this.#observer,
      snapshot: () => this.#live.current,
      onLost,
    });
  }

  #showGauges(bytes: LocalByteBudget): void {
    this.#metrics.watch({
      bodyBytesInFlight: () => bytes.usedBytes,
      cacheBytes: () => this.#store.usedBytes,
      cacheEntries: () => this.#store.entries,
      shadowQueueLength: () => this.comparing.copies.length,
      offloadQueueLength: () => this.#offload.length,
      pressure: () => this.#watch.pressure,
      routes: () => this.#live.current.routes,
    });
  }
}
