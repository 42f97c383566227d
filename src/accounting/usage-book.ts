import type { UsageBook, UsageRecord, UsageTotal } from '../core/money.ts';
import { figureOf, isFigure } from './figure.ts';

// 40 MB, at 400 bytes a row. Tenants, models and variants come from config, so this is reached only when configs keep changing their names.
const MAX_ROWS = 100_000;

/**
 * Sums of usage in the memory of this process, one row for each tenant, model and variant. Beyond its rows, what is new is booked
 * under the tenant alone, with an empty model and variant: no money is lost.
 */
export class MemoryUsageBook implements UsageBook {
  readonly #byTenant = new Map<string, Map<string, Map<string, UsageRow>>>();
  readonly #maxRows: number;
  #rows = 0;
  #rejected = 0;

  constructor(maxRows = MAX_ROWS) {
    this.#maxRows = maxRows;
  }

  /** Records with a figure or cost that is negative, not finite or, for the cost, not whole. Not 0 means a bug or a lying backend. */
  get rejected(): number {
    return this.#rejected;
  }

  /** @hot */
  book(record: UsageRecord): void {
    const row = this.#find(record.tenant, record.model, record.variant) ?? this.#open(record);
    const usage = record.usage;
    row.requests++;
    if (record.failed) row.failures++;
    if (record.cacheHit) row.cacheHits++;
    row.rows += figureOf(usage.rows);
    row.inputBytes += figureOf(usage.inputBytes);
    row.outputBytes += figureOf(usage.outputBytes);
    row.computeUs += figureOf(usage.computeUs);
    if (!isSound(record)) this.#rejected++;
    if (Number.isSafeInteger(record.cost) && record.cost >= 0) row.addCost(record.cost);
  }

  totals(tenant: string): readonly UsageTotal[] {
    const totals: UsageTotal[] = [];
    for (const [id, models] of this.#byTenant) {
      if (tenant !== '' && tenant !== id) continue;
      for (const [model, variants] of models) {
        for (const [variant, row] of variants) totals.push(row.total(id, model, variant));
      }
    }
    return totals.sort(byName);
  }

  #find(tenant: string, model: string, variant: string): UsageRow | undefined {
    return this.#byTenant.get(tenant)?.get(model)?.get(variant);
  }

  /** Off the hot path: once for each row. */
  #open({ tenant, model, variant }: UsageRecord): UsageRow {
    const isFull = this.#rows >= this.#maxRows;
    const models = entryOf(this.#byTenant, tenant, () => new Map<string, Map<string, UsageRow>>());
    const variants = entryOf(models, isFull ? '' : model, () => new Map<string, UsageRow>());
    return entryOf(variants, isFull ? '' : variant, () => {
      this.#rows++;
      return new UsageRow();
    });
  }
}

class UsageRow {
  requests = 0;
  failures = 0;
  cacheHits = 0;
  rows = 0;
  inputBytes = 0;
  outputBytes = 0;
  computeUs = 0;
  /** Nano-dollars since the last spill; exact, since it never leaves the safe integers. */
  #cost = 0;
  #spilled = 0n;

  /** @hot Adds as a plain number and spills into the large sum only when the next one would not fit: every nine million dollars. */
  addCost(cost: number): void {
    const sum = this.#cost + cost;
    if (sum <= Number.MAX_SAFE_INTEGER) {
      this.#cost = sum;
      return;
    }
    this.#spilled += BigInt(this.#cost);
    this.#cost = cost;
  }

  total(tenant: string, model: string, variant: string): UsageTotal {
    return {
      tenant,
      model,
      variant,
      requests: this.requests,
      failures: this.failures,
      cacheHits: this.cacheHits,
      rows: this.rows,
      inputBytes: this.inputBytes,
      outputBytes: this.outputBytes,
      computeUs: this.computeUs,
      cost: this.#spilled + BigInt(this.#cost),
    };
  }
}

function isSound({ cost, usage }: UsageRecord): boolean {
  if (!Number.isSafeInteger(cost) || cost < 0) return false;
  if (!isFigure(usage.rows) || !isFigure(usage.inputTokens) || !isFigure(usage.outputTokens)) return false;
  return isFigure(usage.inputBytes) && isFigure(usage.outputBytes) && isFigure(usage.computeUs);
}

function entryOf<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function byName(a: UsageTotal, b: UsageTotal): number {
  return compare(a.tenant, b.tenant) || compare(a.model, b.model) || compare(a.variant, b.variant);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
