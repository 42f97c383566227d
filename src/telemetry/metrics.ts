import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { RequestContext } from '../core/context.ts';
import type { EjectionCause } from '../core/endpoints.ts';
import type { Blame } from '../core/faults.ts';
import type { Ruling } from '../core/guard.ts';
import type { OverloadReason, ShadowOutcome, Tally } from '../core/observer.ts';
import { Phase } from '../core/verdict.ts';
import { CATALOGUE } from './catalogue.ts';
import { Gauges, type Watched } from './gauges.ts';
import { MetricRows } from './metric-rows.ts';
import { type CounterRow, CounterSeries } from './series.ts';

export type SpanOutcome = 'exported' | 'failed' | 'dropped';

const MICROS_PER_SECOND = 1e6;
/** Where each blame stands in OUTCOMES; 0 is ok. */
const OUTCOME_OF: Readonly<Record<Blame, number>> = Object.freeze({ client: 1, upstream: 2, gateway: 3 });

/** All metrics of this process. The only place that counts, and the only one that is scraped. */
export class Metrics implements Tally {
  readonly version: string;
  readonly #registry = new Registry();
  readonly #rows: MetricRows;
  readonly #gauges: Gauges;
  readonly #rejectedSeries: CounterSeries;
  readonly #rejected = new Map<string, CounterRow>();
  readonly #ejectionSeries: CounterSeries;
  readonly #ejections = new Map<string, CounterRow>();
  readonly #mirrorSeries: CounterSeries;
  readonly #mirrors = new Map<string, CounterRow>();
  readonly #overloads: Readonly<Record<OverloadReason, CounterRow>>;
  readonly #spans: Readonly<Record<SpanOutcome, CounterRow>>;
  readonly #grpcRefused: CounterRow;
  readonly #logLinesDropped: CounterRow;
  #log: { readonly linesDropped: number } = { linesDropped: 0 };
  #httpInFlight = 0;
  #grpcInFlight = 0;

  constructor(options: { readonly version: string }) {
    this.version = options.version;
    this.#rows = new MetricRows(this.#registry);
    this.#rejectedSeries = new CounterSeries(CATALOGUE.httpRejected, this.#registry);
    this.#ejectionSeries = new CounterSeries(CATALOGUE.endpointEjections, this.#registry);
    this.#mirrorSeries = new CounterSeries(CATALOGUE.mirrorCopies, this.#registry);
    const overloads = new CounterSeries(CATALOGUE.overloads, this.#registry);
    this.#overloads = {
      memory: overloads.row('memory'),
      event_loop: overloads.row('event_loop'),
      requests: overloads.row('requests'),
      bytes: overloads.row('bytes'),
      leases: overloads.row('leases'),
    };
    const spans = new CounterSeries(CATALOGUE.spans, this.#registry);
    this.#spans = { exported: spans.row('exported'), failed: spans.row('failed'), dropped: spans.row('dropped') };
    this.#grpcRefused = new CounterSeries(CATALOGUE.grpcRefused, this.#registry).row();
    this.#logLinesDropped = new CounterSeries(CATALOGUE.logLinesDropped, this.#registry).row();
    this.#registerInFlight();
    this.#gauges = new Gauges(this.#registry, this.version);
    collectDefaultMetrics({ register: this.#registry });
  }

  /** What the gauges read at each scrape; until then they show nothing. */
  watch(watched: Watched): void {
    this.#gauges.watch(watched);
  }

  /** @hot */
  requestOpened(ctx: RequestContext): void {
    if (ctx.head.face === 'http') this.#httpInFlight++;
    else this.#grpcInFlight++;
  }

  /** Everything that one finished request counts: some 17 values in 0.15 µs. @hot */
  requestFinished(ctx: RequestContext, durationUs: number): void {
    if (ctx.head.face === 'http') this.#httpInFlight--;
    else this.#grpcInFlight--;
    const model = this.#rows.model(ctx.route === null ? '' : ctx.route.model);
    const used = ctx.answeredBy === null ? ctx.variant : ctx.answeredBy;
    const variant = model.variant(used === null ? '' : used.name);
    const outcome = ctx.fault === null ? 0 : OUTCOME_OF[ctx.fault.blame];
    variant.request(ctx.head.face, ctx.codec.name, outcome).add(1);
    variant.seconds(outcome).observe(durationUs / MICROS_PER_SECOND);
    model.requestBytes.add(ctx.usage.inputBytes);
    model.responseBytes.add(ctx.usage.outputBytes);
    if (ctx.fault !== null) model.fault(ctx.fault.code, ctx.faultPhase).add(1);
    if (ctx.marksUs[Phase.Recall]! > 0) model.cache(ctx.cacheResult).add(1);
    if (ctx.cost > 0 && ctx.principal !== null) variant.cost(ctx.principal.tenant.id).add(ctx.cost);
    this.#countPhases(ctx.marksUs);
  }

  /** @hot */
  ruling(model: string, side: 'input' | 'output', guard: string, ruling: Ruling): void {
    this.#rows.model(model).ruling(side, guard, ruling).add(1);
  }

  /** @hot */
  attempt(model: string, variant: string, faultCode: string, durationUs: number): void {
    const rows = this.#rows.model(model).variant(variant);
    rows.attempt(faultCode === '' ? 'OK' : faultCode).add(1);
    // An attempt that was refused before any call has no duration, and would make a sick variant look quick.
    if (durationUs > 0) rows.backendSeconds().observe(durationUs / MICROS_PER_SECOND);
  }

  /** @hot */
  shadow(model: string, variant: string, outcome: ShadowOutcome): void {
    this.#rows.model(model).variant(variant).shadow(outcome).add(1);
  }

  /** @hot */
  batch(model: string, variant: string, rows: number): void {
    this.#rows.model(model).variant(variant).batchRows().observe(rows);
  }

  /** @hot */
  overloaded(reason: OverloadReason): void {
    this.#overloads[reason].add(1);
  }

  /** An HTTP exchange that never became a request; `code` is the code of a fault. */
  rejected(code: string): void {
    let row = this.#rejected.get(code);
    if (row === undefined) {
      row = this.#rejectedSeries.row(code);
      this.#rejected.set(code, row);
    }
    row.add(1);
  }

  /** A gRPC connection was closed when it came. */
  grpcRefused(): void {
    this.#grpcRefused.add(1);
  }

  /** An endpoint of a variant was left out. */
  ejected(model: string, variant: string, cause: EjectionCause): void {
    const key = `${model}/${variant}/${cause}`;
    let row = this.#ejections.get(key);
    if (row === undefined) {
      row = this.#ejectionSeries.row(model, variant, cause);
      this.#ejections.set(key, row);
    }
    row.add(1);
  }

  /** What became of a request that stable or a canary was asked as well; `variant` is the canary. */
  mirror(model: string, variant: string, asked: 'stable' | 'canary', outcome: ShadowOutcome): void {
    const key = `${model}/${variant}/${asked}/${outcome}`;
    let row = this.#mirrors.get(key);
    if (row === undefined) {
      row = this.#mirrorSeries.row(model, variant, asked, outcome);
      this.#mirrors.set(key, row);
    }
    row.add(1);
  }

  spans(outcome: SpanOutcome, count: number): void {
    this.#spans[outcome].add(count);
  }

  /** Whose lost lines to show. */
  watchLog(log: { readonly linesDropped: number }): void {
    this.#log = log;
  }

  /** Names of all registered metrics, those of the process included. */
  names(): string[] {
    return this.#registry.getMetricsAsArray().map((metric) => metric.name);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Prometheus text exposition. */
  text(): Promise<string> {
    this.#logLinesDropped.value = this.#log.linesDropped;
    return this.#registry.metrics();
  }

  /** The same without gauges: what must outlive this process in a sum over several. */
  async counterText(): Promise<string> {
    this.#logLinesDropped.value = this.#log.linesDropped;
    const kept = this.#registry.getMetricsAsArray().filter((metric) => !(metric instanceof Gauge));
    const texts = await Promise.all(kept.map(({ name }) => this.#registry.getSingleMetricAsString(name)));
    return `${texts.join('\n')}\n`;
  }

  close(): void {
    this.#gauges.close();
  }

  #countPhases(marksUs: readonly number[]): void {
    const phases = this.#rows.phases;
    let beforeUs = 0;
    for (let phase = 0; phase < phases.length; phase++) {
      const markUs = marksUs[phase]!;
      if (markUs === 0) continue;
      phases[phase]!.observe((markUs - beforeUs) / MICROS_PER_SECOND);
      beforeUs = markUs;
    }
  }

  #registerInFlight(): void {
    const { name, help, labels } = CATALOGUE.inFlight;
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      collect: () => {
        gauge.set({ face: 'http' }, this.#httpInFlight);
        gauge.set({ face: 'grpc' }, this.#grpcInFlight);
      },
    });
  }
}
