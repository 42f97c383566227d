import type { Registry } from 'prom-client';
import type { CacheResult } from '../core/cache.ts';
import { RULING_NAMES, type Ruling } from '../core/guard.ts';
import type { ShadowOutcome } from '../core/observer.ts';
import { PHASE_NAMES, type Phase } from '../core/verdict.ts';
import { CATALOGUE } from './catalogue.ts';
import { type CounterRow, CounterSeries, type HistogramRow, HistogramSeries } from './series.ts';

/**
 * The rows of all request metrics, reached by name instead of by hash. A row is made when it is first needed, so that a scrape shows
 * only what has happened; all names come from config, so there is a bound on how many there can be.
 *
 *   MetricRows ─ model ─→ ModelRows ─ variant ─→ VariantRows ─→ rows
 */
export class MetricRows {
  readonly series: Series;
  readonly phases: readonly HistogramRow[];
  readonly #models = new Map<string, ModelRows>();
  /** What was asked for last, and is nearly always asked for again: one request asks half a dozen times. */
  #lastName: string | null = null;
  #last: ModelRows | null = null;

  constructor(registry: Registry) {
    this.series = new Series(registry);
    this.phases = PHASE_NAMES.map((phase) => this.series.phaseSeconds.row(phase));
  }

  /** @hot */
  model(name: string): ModelRows {
    if (name === this.#lastName) return this.#last!;
    let rows = this.#models.get(name);
    if (rows === undefined) {
      rows = new ModelRows(this.series, name);
      this.#models.set(name, rows);
    }
    this.#lastName = name;
    this.#last = rows;
    return rows;
  }
}

class Series {
  readonly requests: CounterSeries;
  readonly faults: CounterSeries;
  readonly requestSeconds: HistogramSeries;
  readonly phaseSeconds: HistogramSeries;
  readonly requestBytes: CounterSeries;
  readonly responseBytes: CounterSeries;
  readonly cacheRequests: CounterSeries;
  readonly guardRulings: CounterSeries;
  readonly backendAttempts: CounterSeries;
  readonly backendSeconds: HistogramSeries;
  readonly shadowCopies: CounterSeries;
  readonly batchRows: HistogramSeries;
  readonly cost: CounterSeries;

  constructor(registry: Registry) {
    this.requests = new CounterSeries(CATALOGUE.requests, registry);
    this.faults = new CounterSeries(CATALOGUE.faults, registry);
    this.requestSeconds = new HistogramSeries(CATALOGUE.requestSeconds, registry);
    this.phaseSeconds = new HistogramSeries(CATALOGUE.phaseSeconds, registry);
    this.requestBytes = new CounterSeries(CATALOGUE.requestBytes, registry);
    this.responseBytes = new CounterSeries(CATALOGUE.responseBytes, registry);
    this.cacheRequests = new CounterSeries(CATALOGUE.cacheRequests, registry);
    this.guardRulings = new CounterSeries(CATALOGUE.guardRulings, registry);
    this.backendAttempts = new CounterSeries(CATALOGUE.backendAttempts, registry);
    this.backendSeconds = new HistogramSeries(CATALOGUE.backendSeconds, registry);
    this.shadowCopies = new CounterSeries(CATALOGUE.shadowCopies, registry);
    this.batchRows = new HistogramSeries(CATALOGUE.batchRows, registry);
    this.cost = new CounterSeries(CATALOGUE.cost, registry);
  }
}

class ModelRows {
  readonly requestBytes: CounterRow;
  readonly responseBytes: CounterRow;
  readonly #series: Series;
  readonly #model: string;
  readonly #variants = new Map<string, VariantRows>();
  #lastName: string | null = null;
  #last: VariantRows | null = null;
  readonly #cache = new Map<CacheResult, CounterRow>();
  /** By code, then by phase. */
  readonly #faults = new Map<string, (CounterRow | undefined)[]>();
  /** By guard, then by ruling; one map for each side. */
  readonly #inputRulings = new Map<string, (CounterRow | undefined)[]>();
  readonly #outputRulings = new Map<string, (CounterRow | undefined)[]>();

  constructor(series: Series, model: string) {
    this.#series = series;
    this.#model = model;
    this.requestBytes = series.requestBytes.row(model);
    this.responseBytes = series.responseBytes.row(model);
  }

  /** @hot */
  variant(name: string): VariantRows {
    if (name === this.#lastName) return this.#last!;
    let rows = this.#variants.get(name);
    if (rows === undefined) {
      rows = new VariantRows(this.#series, this.#model, name);
      this.#variants.set(name, rows);
    }
    this.#lastName = name;
    this.#last = rows;
    return rows;
  }

  /** @hot */
  cache(result: CacheResult): CounterRow {
    let row = this.#cache.get(result);
    if (row === undefined) {
      row = this.#series.cacheRequests.row(this.#model, result);
      this.#cache.set(result, row);
    }
    return row;
  }

  /** @hot */
  fault(code: string, phase: Phase): CounterRow {
    const rows = slots(this.#faults, code);
    rows[phase] ??= this.#series.faults.row(code, PHASE_NAMES[phase]!, this.#model);
    return rows[phase];
  }

  /** @hot */
  ruling(side: 'input' | 'output', guard: string, ruling: Ruling): CounterRow {
    const rows = slots(side === 'input' ? this.#inputRulings : this.#outputRulings, guard);
    rows[ruling] ??= this.#series.guardRulings.row(this.#model, side, guard, RULING_NAMES[ruling]!);
    return rows[ruling];
  }
}

class VariantRows {
  readonly #series: Series;
  readonly #model: string;
  readonly #variant: string;
  /** By codec, then by face and outcome. */
  readonly #requests = new Map<string, (CounterRow | undefined)[]>();
  readonly #seconds: (HistogramRow | undefined)[] = [];
  readonly #attempts = new Map<string, CounterRow>();
  readonly #shadow = new Map<ShadowOutcome, CounterRow>();
  readonly #costs = new Map<string, CounterRow>();
  #backendSeconds: HistogramRow | null = null;
  #batchRows: HistogramRow | null = null;

  constructor(series: Series, model: string, variant: string) {
    this.#series = series;
    this.#model = model;
    this.#variant = variant;
  }

  /** `outcome` is an index into OUTCOMES. @hot */
  request(face: 'http' | 'grpc', codec: string, outcome: number): CounterRow {
    const rows = slots(this.#requests, codec);
    const slot = face === 'http' ? outcome : outcome + OUTCOMES.length;
    rows[slot] ??= this.#series.requests.row(face, codec, this.#model, this.#variant, OUTCOMES[outcome]!);
    return rows[slot];
  }

  /** @hot */
  seconds(outcome: number): HistogramRow {
    this.#seconds[outcome] ??= this.#series.requestSeconds.row(this.#model, this.#variant, OUTCOMES[outcome]!);
    return this.#seconds[outcome];
  }

  /** @hot */
  attempt(code: string): CounterRow {
    let row = this.#attempts.get(code);
    if (row === undefined) {
      row = this.#series.backendAttempts.row(this.#model, this.#variant, code);
      this.#attempts.set(code, row);
    }
    return row;
  }

  /** @hot */
  shadow(outcome: ShadowOutcome): CounterRow {
    let row = this.#shadow.get(outcome);
    if (row === undefined) {
      row = this.#series.shadowCopies.row(this.#model, this.#variant, outcome);
      this.#shadow.set(outcome, row);
    }
    return row;
  }

  /** @hot */
  cost(tenant: string): CounterRow {
    let row = this.#costs.get(tenant);
    if (row === undefined) {
      row = this.#series.cost.row(tenant, this.#model, this.#variant);
      this.#costs.set(tenant, row);
    }
    return row;
  }

  /** @hot */
  backendSeconds(): HistogramRow {
    this.#backendSeconds ??= this.#series.backendSeconds.row(this.#model, this.#variant);
    return this.#backendSeconds;
  }

  /** @hot */
  batchRows(): HistogramRow {
    this.#batchRows ??= this.#series.batchRows.row(this.#model, this.#variant);
    return this.#batchRows;
  }
}

/** How a request ended: well, or through whose fault. */
export const OUTCOMES: readonly string[] = ['ok', 'client', 'upstream', 'gateway'];

function slots(map: Map<string, (CounterRow | undefined)[]>, key: string): (CounterRow | undefined)[] {
  let rows = map.get(key);
  if (rows === undefined) {
    rows = [];
    map.set(key, rows);
  }
  return rows;
}
