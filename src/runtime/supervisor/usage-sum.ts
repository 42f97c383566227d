import type { UsageTotal } from '../../core/money.ts';

/** Usage of all workers, those that are gone included. */
export class UsageSum {
  readonly #retired = new Map<string, UsageTotal>();

  retire(totals: readonly UsageTotal[]): void {
    addTo(this.#retired, totals);
  }

  /** Of one tenant, or of all when `tenant` is empty. */
  total(parts: readonly (readonly UsageTotal[])[], tenant: string): readonly UsageTotal[] {
    const sums = new Map(this.#retired);
    for (const totals of parts) addTo(sums, totals);
    return [...sums.values()].filter((total) => tenant === '' || total.tenant === tenant).sort(byName);
  }
}

function addTo(sums: Map<string, UsageTotal>, totals: readonly UsageTotal[]): void {
  for (const total of totals) {
    const key = `${total.tenant}\n${total.model}\n${total.variant}`;
    const before = sums.get(key);
    sums.set(key, before === undefined ? total : added(before, total));
  }
}

function added(a: UsageTotal, b: UsageTotal): UsageTotal {
  return {
    tenant: a.tenant,
    model: a.model,
    variant: a.variant,
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    cacheHits: a.cacheHits + b.cacheHits,
    rows: a.rows + b.rows,
    inputBytes: a.inputBytes + b.inputBytes,
    outputBytes: a.outputBytes + b.outputBytes,
    computeUs: a.computeUs + b.computeUs,
    cost: a.cost + b.cost,
  };
}

function byName(a: UsageTotal, b: UsageTotal): number {
  return compare(a.tenant, b.tenant) || compare(a.model, b.model) || compare(a.variant, b.variant);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
