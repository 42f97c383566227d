import { randomBytes } from 'node:crypto';
import { MemoryUsageBook } from '../accounting/usage-book.ts';
import { OnnxHost } from '../backends/onnx/onnx-host.ts';
import { Flights } from '../cache/flights.ts';
import { MemoryCacheStore } from '../cache/memory-store.ts';
import { ConfigError } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { SecretReader } from '../config/secrets.ts';
import { SystemClock } from '../core/clock.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { GatewayFront } from '../gateway/gateway-front.ts';
import type { ThreadPool } from '../gateway/offload/thread-pool.ts';
import { LocalByteBudget } from '../limits/byte-budget.ts';
import { LocalConcurrencyCap } from '../limits/concurrency.ts';
import { GrpcProtocol } from '../protocols/grpc/grpc-protocol.ts';
import { HttpProtocol } from '../protocols/http-protocol.ts';
import type { InflateLimits } from '../protocols/rest/inflation.ts';
import { SequenceIds } from '../router/sequence-ids.ts';
import { ShadowQueues } from '../router/shadow-queues.ts';
import { createLog, type Log } from '../telemetry/access-log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { RequestObserver } from '../telemetry/observer.ts';
import { SystemLookup } from '../wire/dns/system-lookup.ts';
import { type AuditLog, openAudit } from './audit-log.ts';
import { EndpointEvents } from './endpoint-events.ts';
import { GeneratedSecrets } from './generated-secrets.ts';
import { Leases, localOffice } from './leases.ts';
import { buildLifecycle } from './lifecycle-assembly.ts';
import { Listeners } from './listeners.ts';
import { LiveSnapshot } from './live-snapshot.ts';
import { narrowingOf } from './narrowing.ts';
import { buildOffloadPool } from './offload-pool.ts';
import { PlanKeeper } from './plan-keeper.ts';
import { PressureWatch } from './pressure-watch.ts';
import { logReadiness } from './readiness-log.ts';
import { sequenceSecret } from './sequence-secret.ts';
import { buildKeys } from './tenants.ts';
import { TlsFiles, type TlsPair } from './tls-files.ts';
import { VariantLoader } from './variant-loader.ts';
import { buildRoutes } from './variants.ts';
import { Warmer } from './warmer.ts';

/** Misses in flight, above what the process cap lets in by default; and requests that wait for one, who are all told in one tick. */
const FLIGHT_LIMITS = { maxKeys: 65_536, maxWaiters: 256 };

/** Shorter tokens can be guessed. */
const MIN_TOKEN_CHARS = 16;

export interface GatewayOptions {
  readonly config: Config;
  /** Absolute path, for messages. */
  readonly file: string;
  readonly baseDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly stateDir: string;
}

/** One gateway in this process: builds everything that the config asks for, starts it, and stops it without losing a request. */
export class GatewayProcess {
  readonly log: Log;
  readonly plane: ControlPlane;
  readonly generated = new GeneratedSecrets();
  readonly adminToken: string;
  /** Certificate and key of the admin port; null for plaintext. */
  readonly adminTls: TlsPair | null;
  readonly #o: GatewayOptions;
  readonly #clock = new SystemClock();
  readonly #metrics: Metrics;
  readonly #observer: RequestObserver;
  readonly #host: OnnxHost;
  readonly #offload: ThreadPool;
  readonly #leases: Leases;
  readonly #watch: PressureWatch;
  readonly #live: LiveSnapshot;
  readonly #warmer: Warmer;
  readonly #shadows: ShadowQueues;
  readonly #sequences: SequenceIds;
  readonly #audit: AuditLog;
  readonly #listeners: Listeners;
  #serving = false;
  #stopped: Promise<void> | null = null;

  constructor(options: GatewayOptions) {
    const { config } = options;
    this.#o = options;
    this.log = createLog(config.telemetry.logLevel);
    this.#metrics = new Metrics({ version: options.version });
    this.#observer = new RequestObserver({ config: config.telemetry, clock: this.#clock, metrics: this.#metrics, log: this.log });
    this.#host = new OnnxHost({ threads: config.onnx.threads, clock: this.#clock });
    this.#offload = buildOffloadPool(config.offload, this.log);
    const secrets = new SecretReader(options);
    this.adminToken = this.#readAdminToken(secrets);
    this.#sequences = new SequenceIds(sequenceSecret(config, secrets, options.file));
    this.#leases = new Leases(config.tenants.length, localOffice(config, this.#clock), this.#clock);
    const keys = buildKeys(config, { secrets, generated: this.generated, configFile: options.file }, this.#leases);
    const tls = new TlsFiles(options.baseDir, options.file);
    this.adminTls = tls.pair(config.listen.admin.tls, 'listen.admin.tls');
    const lookup = new SystemLookup();
    const events = new EndpointEvents({
      log: this.log,
      metrics: this.#metrics,
      onLost: (model, variant, reason) => this.#warmer.follow(model, variant, reason),
    });
    const routes = buildRoutes(config, {
      clock: this.#clock,
      lookup: (host) => lookup.lookup(host),
      lie: (model, request, prediction) => this.#live.current.route(model)?.contract?.plainLie(request, prediction) ?? '',
      onEndpoint: (model, variant, event) => events.on(model, variant, event),
      tally: this.#metrics,
      host: this.#host,
      offload: this.#offload,
      secrets,
      tls,
      baseDir: options.baseDir,
    });
    this.#watch = new PressureWatch(config.overload.pressure, {
      processes: 1,
      log: this.log,
      closeIdle: () => this.#listeners.closeIdle(),
    });
    this.#live = new LiveSnapshot(routes, keys);
    this.#warmer = new Warmer({
      live: this.#live,
      offload: this.#offload,
      narrowing: narrowingOf(config),
      configFile: options.file,
      onState: (model, variant) => logReadiness(this.log, model, variant),
    });
    this.#shadows = new ShadowQueues(Object.keys(config.models), config.shadow, this.#clock, (model, variant, outcome) =>
      this.#metrics.shadow(model, variant, outcome),
    );
    this.#audit = openAudit(config.audit.file, { baseDir: options.baseDir, configFile: options.file, clock: this.#clock });
    const store = new MemoryCacheStore(config.cache, this.#watch.pressure);
    const usage = new MemoryUsageBook();
    const loader = new VariantLoader({
      live: this.#live,
      warmer: this.#warmer,
      audit: this.#audit,
      clock: this.#clock,
      forget: (model) => store.purge(model),
      pause: (ms) => new Promise((done) => setTimeout(done, ms).unref()),
    });
    this.plane = new PlanKeeper({
      live: this.#live,
      audit: this.#audit,
      loader,
      usage,
      store,
      metrics: () => this.#metrics.text(),
      isServing: () => this.#serving,
    });
    const bytes = new LocalByteBudget(config.limits.maxInFlightBytes);
    const front = this.#buildFront(store, usage, bytes);
    this.#listeners = new Listeners(config, {
      front,
      files: tls,
      bytes,
      log: this.log,
      onRejected: (code) => this.#metrics.rejected(code),
      isReady: () => this.plane.isReady(),
    });
    this.#showGauges(store, bytes);
  }

  #readAdminToken(secrets: SecretReader): string {
    const path = 'listen.admin.token';
    const token = secrets.read(this.#o.config.listen.admin.token, path, () =>
      this.generated.add('admin.token', `sla_${randomBytes(32).toString('base64url')}`),
    );
    if (token.length >= MIN_TOKEN_CHARS) return token;
    const message = `found ${token.length} characters; expected at least ${MIN_TOKEN_CHARS} that nobody can guess`;
    throw new ConfigError(this.#o.file, [{ path, message }]);
  }

  /**
   * Warms the variants and opens the listeners. Null when it was stopped before it was up. Rejects when a model file cannot be loaded or a
   * port is taken.
   */
  async start(): Promise<{ http: number; grpc: number } | null> {
    this.#offload.start();
    await Promise.all([this.#warmer.start(), this.#observer.ready()]);
    if (this.#stopped !== null) return null;
    const ports = await this.#listeners.listen(() => this.#stopped !== null);
    if (ports === null) {
      // SIGTERM came between the ports: whoever stopped us did not know of the last one.
      await this.#drain();
      return null;
    }
    this.#serving = true;
    return ports;
  }

  /** Keeps generated secrets where the CLI finds them. Returns why it could not, or an empty text. */
  saveSecrets(adminUrl: string): string {
    return this.generated.save(this.#o.stateDir, { adminUrl });
  }

  /** Not ready at once, then no new connections, then the end of what is in flight, then everything else. Safe to call again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { delayMs } = this.#o.config.shutdown;
    const wasServing = this.#serving;
    this.#serving = false;
    if (wasServing && delayMs > 0) await new Promise((done) => setTimeout(done, delayMs));
    await this.#drain();
    this.#leases.close();
    this.#watch.close();
    this.#warmer.close();
    await this.#shadows.close();
    const variants = this.#live.current.routes.flatMap((route) => [
      ...route.plan.variants,
      ...route.plan.shadows.map((share) => share.variant),
    ]);
    await Promise.all(variants.map((variant) => variant.backend.close()));
    await this.#host.close();
    await this.#offload.close();
    await this.#observer.shutdown();
    this.#audit.close();
    this.generated.forget();
    this.log.info('stopped', {});
    await this.log.flush();
  }

  async #drain(): Promise<void> {
    const { graceMs } = this.#o.config.shutdown;
    await this.#listeners.drain(graceMs);
  }

  #buildFront(store: MemoryCacheStore, usage: MemoryUsageBook, bytes: LocalByteBudget): GatewayFront {
    const { config, version } = this.#o;
    const onLost = (error: unknown): void => this.log.error('lost error', { err: error });
    const { lifecycle, admit } = buildLifecycle({
      clock: this.#clock,
      limiter: this.#leases.limiter,
      processCap: new LocalConcurrencyCap(config.limits.maxInFlightRequests),
      bytes,
      maxBodyBytes: config.limits.maxBodyBytes,
      pressure: this.#watch.pressure,
      store,
      flights: new Flights(FLIGHT_LIMITS, onLost),
      maxCachedRequestBytes: config.cache.maxRequestBytes,
      usage,
      shadows: this.#shadows,
      sequences: this.#sequences,
      observer: this.#observer,
      tally: this.#metrics,
      onLost,
    });
    const { maxTensors, maxJsonDepth, maxJsonBytes, maxBodyBytes, maxInflateRatio } = config.limits;
    const holdBytes: InflateLimits['holdBytes'] = (ctx, size) => admit.holdBytes(ctx, size);
    const isReady = (): boolean => this.plane.isReady();
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

  #showGauges(store: MemoryCacheStore, bytes: LocalByteBudget): void {
    this.#metrics.watch({
      bodyBytesInFlight: () => bytes.usedBytes,
      cacheBytes: () => store.usedBytes,
      cacheEntries: () => store.entries,
      shadowQueueLength: () => this.#shadows.length,
      pressure: () => this.#watch.pressure,
      offloadQueueLength: () => this.#offload.length,
      routes: () => this.#live.current.routes,
    });
  }
}
