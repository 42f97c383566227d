import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryUsageBook } from '../../../src/accounting/usage-book.ts';
import { recordOf, usageOf } from './fixtures.ts';

const MOST = Number.MAX_SAFE_INTEGER;

describe('MemoryUsageBook', () => {
  it('sums by tenant, model and variant', () => {
    const book = new MemoryUsageBook();
    book.book(recordOf({ cost: 5, usage: usageOf({ rows: 2, inputBytes: 10, outputBytes: 3, computeUs: 7 }) }));
    book.book(
      recordOf({
        cost: 6,
        failed: true,
        cacheHit: true,
        usage: usageOf({ rows: 1, inputBytes: 1, outputBytes: 1, computeUs: 1 }),
      }),
    );
    expect(book.totals('t')).toEqual([
      {
        tenant: 't',
        model: 'm',
        variant: 'v',
        requests: 2,
        failures: 1,
        cacheHits: 1,
        rows: 3,
        inputBytes: 11,
        outputBytes: 4,
        computeUs: 8,
        cost: 11n,
      },
    ]);
  });

  it('shows a tenant its own rows and the operator all, sorted by name', () => {
    const book = new MemoryUsageBook();
    const rows = [
      ['b', 'm', 'v'],
      ['a', 'n', 'v'],
      ['a', 'm', 'w'],
      ['a', 'm', 'v'],
    ] as const;
    for (const [tenant, model, variant] of rows) book.book(recordOf({ tenant, model, variant }));
    const names = (tenant: string) => book.totals(tenant).map((total) => `${total.tenant} ${total.model} ${total.variant}`);
    expect(names('a')).toEqual(['a m v', 'a m w', 'a n v']);
    expect(names('')).toEqual(['a m v', 'a m w', 'a n v', 'b m v']);
    expect(names('c')).toEqual([]);
  });

  it('does not mix names that run together', () => {
    const book = new MemoryUsageBook();
    book.book(recordOf({ tenant: 'a', model: 'bc' }));
    book.book(recordOf({ tenant: 'ab', model: 'c' }));
    expect(book.totals('').map((total) => total.requests)).toEqual([1, 1]);
  });

  it('gives totals that later bookings do not change', () => {
    const book = new MemoryUsageBook();
    book.book(recordOf({ cost: 1 }));
    const [total] = book.totals('t');
    book.book(recordOf({ cost: 1 }));
    expect(total).toMatchObject({ requests: 1, cost: 1n });
  });

  it('stays exact beyond the numbers that are', () => {
    const book = new MemoryUsageBook();
    for (const cost of [MOST, 1, MOST, MOST - 1, 3]) book.book(recordOf({ cost }));
    expect(book.totals('t')[0]!.cost).toBe(3n * BigInt(MOST) + 3n);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, MOST + 1])(
    'rejects the cost %d and still counts the request',
    (cost) => {
      const book = new MemoryUsageBook();
      book.book(recordOf({ cost: 5 }));
      book.book(recordOf({ cost }));
      expect(book.totals('t')[0]).toMatchObject({ requests: 2, cost: 5n });
      expect(book.rejected).toBe(1);
    },
  );

  it('rejects a figure that would poison its sum', () => {
    const book = new MemoryUsageBook();
    book.book(recordOf({ usage: usageOf({ computeUs: 5, rows: 1 }) }));
    book.book(recordOf({ usage: usageOf({ computeUs: Number.NaN, rows: -1 }) }));
    expect(book.totals('t')[0]).toMatchObject({ computeUs: 5, rows: 1 });
    expect(book.rejected).toBe(1);
  });

  it('books under the tenant alone when it has no more rows, so that no money is lost', () => {
    const book = new MemoryUsageBook(2);
    for (const model of ['a', 'b', 'c', 'd']) book.book(recordOf({ model, cost: 1 }));
    book.book(recordOf({ model: 'a', cost: 1 }));
    const rows = book.totals('t').map((total) => [total.model, total.variant, total.cost]);
    expect(rows).toEqual([
      ['', '', 2n],
      ['a', 'v', 2n],
      ['b', 'v', 1n],
    ]);
  });

  it('agrees with plain sums of any size', () => {
    const record = fc.record({
      tenant: fc.constantFrom('a', 'ab'),
      model: fc.constantFrom('m', 'bm'),
      variant: fc.constantFrom('v', ''),
      cost: fc.oneof(fc.nat(), fc.integer({ min: MOST - 1_000, max: MOST }), fc.maxSafeNat()),
      failed: fc.boolean(),
      cacheHit: fc.boolean(),
      rows: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        const book = new MemoryUsageBook();
        for (const { rows, ...fields } of records) book.book(recordOf({ ...fields, usage: usageOf({ rows }) }));
        const totals = book.totals('');
        const names = new Set(records.map((one) => JSON.stringify([one.tenant, one.model, one.variant])));
        expect(totals.length).toBe(names.size);
        for (const total of totals) {
          const own = records.filter(
            (one) => one.tenant === total.tenant && one.model === total.model && one.variant === total.variant,
          );
          expect(total.cost).toBe(own.reduce((sum, one) => sum + BigInt(one.cost), 0n));
          expect(total.rows).toBe(own.reduce((sum, one) => sum + one.rows, 0));
          expect(total.requests).toBe(own.length);
          expect(total.failures).toBe(own.filter((one) => one.failed).length);
          expect(total.cacheHits).toBe(own.filter((one) => one.cacheHit).length);
        }
      }),
      { seed: 20_260, numRuns: 300 },
    );
  });
});
