import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackendView, PlanFigures, VariantView } from '../../../../src/core/control-plane.ts';
import type { UsageTotal } from '../../../../src/core/money.ts';
import { backendSum, PlanSum } from '../../../../src/runtime/supervisor/plan-sum.ts';
import { UsageSum } from '../../../../src/runtime/supervisor/usage-sum.ts';
import { bookOf } from './book-of.ts';

const total: fc.Arbitrary<UsageTotal> = fc.record({
  tenant: fc.constantFrom('a', 'b'),
  model: fc.constantFrom('m', 'n'),
  variant: fc.constantFrom('v1', ''),
  requests: fc.nat(1_000),
  failures: fc.nat(1_000),
  cacheHits: fc.nat(1_000),
  rows: fc.nat(1_000),
  inputBytes: fc.nat(1_000),
  outputBytes: fc.nat(1_000),
  computeUs: fc.nat(1_000),
  cost: fc.bigInt({ min: 0n, max: 2n ** 70n }),
});

describe('UsageSum', () => {
  it('is one row for each tenant, model and variant, with every amount exact, whoever is gone', () => {
    fc.assert(
      fc.property(fc.array(fc.array(total)), fc.array(fc.array(total)), (living, gone) => {
        const sum = new UsageSum();
        for (const part of gone) sum.retire(part);
        const all = [...living, ...gone].flat();
        const rows = sum.total(living, '');
        for (const row of rows) {
          const of = all.filter((one) => one.tenant === row.tenant && one.model === row.model && one.variant === row.variant);
          expect(row.cost).toBe(of.reduce((cost, one) => cost + one.cost, 0n));
          expect(row.requests).toBe(of.reduce((requests, one) => requests + one.requests, 0));
        }
        expect(new Set(rows.map(({ tenant, model, variant }) => `${tenant} ${model} ${variant}`)).size).toBe(rows.length);
        expect(sum.total(living, 'a')).toEqual(rows.filter(({ tenant }) => tenant === 'a'));
      }),
    );
  });
});

const view = (more: Partial<VariantView>): VariantView => ({
  name: 'v1',
  role: 'stable',
  labels: [],
  backend: 'grpc',
  target: 't',
  weightBp: 10_000,
  readiness: 'ready',
  reason: '',
  inFlight: 0,
  attempts: 0,
  failures: 0,
  lastFault: '',
  ...more,
});
const plan = (...variants: VariantView[]): readonly PlanFigures[] => [{ model: 'm', revision: 1, variants }];

describe('PlanSum', () => {
  it('adds what workers count, shows the worst readiness, and takes weights from the book', () => {
    const sum = new PlanSum();
    sum.retire(plan(view({ attempts: 5, failures: 1, inFlight: 9 })));
    const parts = [
      plan(view({ attempts: 2, inFlight: 1, weightBp: 1 })),
      plan(view({ attempts: 3, inFlight: 2, readiness: 'warming', reason: 'not yet', lastFault: 'X' })),
    ];
    expect(sum.total(bookOf({ m: ['v1'] }), parts)).toEqual([
      {
        model: 'm',
        revision: 1,
        variants: [view({ attempts: 10, failures: 1, inFlight: 3, readiness: 'warming', reason: 'not yet', lastFault: 'X' })],
        pins: [],
        fallbacks: ['v1'],
      },
    ]);
  });
});

describe('the sum of backends', () => {
  it('has one row for each, alive where all workers say so, with the worst that one thinks of an endpoint', () => {
    const endpoint = {
      endpoint: 'e',
      state: 'healthy',
      reason: '',
      ejectedForMs: 0,
      inFlight: 1,
      latencyMs: 2,
      ejections: 0,
    } as const;
    const row = { model: 'm', variant: 'v1', kind: 'grpc', target: 't', readiness: 'ready', reason: '' };
    const parts: BackendView[][] = [
      [{ ...row, live: true, endpoints: [endpoint] }],
      [{ ...row, live: false, endpoints: [{ ...endpoint, state: 'ejected', reason: 'r', ejectedForMs: 9, ejections: 1 }] }],
    ];
    const worst = { ...endpoint, state: 'ejected', reason: 'r', ejectedForMs: 9, inFlight: 2, ejections: 1 };
    expect(backendSum(parts)).toEqual([{ ...row, live: false, endpoints: [worst] }]);
  });
});
