import { describe, expect, it } from 'vitest';
import { reweigh } from '../../../../src/router/traffic-plan.ts';
import type { TruthBook } from '../../../../src/runtime/supervisor/truth-book.ts';
import { bookOf, configOf } from './book-of.ts';

function weigh(book: TruthBook, model: string, weights: Readonly<Record<string, number>>): void {
  const next = reweigh(book.plan(model)!, new Map(Object.entries(weights)));
  if (Array.isArray(next)) throw new Error(next.join());
  book.replan(model, next);
}
const revisions = (book: TruthBook) =>
  book.models.map((model) => [model, book.plan(model)!.revision, [...book.plan(model)!.weights]]);

describe('TruthBook', () => {
  it('tells new workers only what differs from the config they begin with', () => {
    const book = bookOf({ m: ['v1', 'v2:5'], n: ['v1'] });
    expect(book.truth()).toEqual({ plans: [], unloaded: [], revokedKeys: [] });
    weigh(book, 'm', { v2: 700 });
    book.setUnloaded({ model: 'n', variant: 'v1' }, true);
    book.revoke('k');
    const { plans, unloaded, revokedKeys } = book.truth();
    expect(plans.map(({ model, revision, weights }) => [model, revision, [...weights]])).toEqual([['m', 2, [9_300, 700]]]);
    expect(plans[0]!.slots.filter((slot) => slot === 1)).toHaveLength(700);
    expect([unloaded, revokedKeys]).toEqual([[{ model: 'n', variant: 'v1' }], ['k']]);
    book.setUnloaded({ model: 'n', variant: 'v1' }, false);
    expect(book.truth().unloaded).toEqual([]);
  });

  it('knows no variant of a model that is named as what every object has', () => {
    const book = bookOf({ m: ['v1'] });
    const models = ['m', 'constructor', '__proto__', 'n'];
    expect(models.filter((model) => book.knows({ model, variant: 'v1' }))).toEqual(['m']);
  });

  it('keeps weights set by hand under a config that says nothing new about them', () => {
    const book = bookOf({ m: ['v1', 'v2:5'], gone: ['v1'] });
    weigh(book, 'm', { v2: 700 });
    const next = book.under(configOf({ m: ['v1', 'v2:5'], more: ['v1'] }));
    expect(revisions(next)).toEqual([
      ['m', 2, [9_300, 700]],
      ['more', 1, [10_000]],
    ]);
    expect(next.plan('m')!.slots).toEqual(book.plan('m')!.slots);
  });

  it('takes the weights of the config where it has new ones, and moves no caller more than they ask for', () => {
    const book = bookOf({ m: ['v1', 'v2:5'] });
    weigh(book, 'm', { v2: 700 });
    const before = book.plan('m')!.slots;
    const next = book.under(configOf({ m: ['v1', 'v2:10'] }));
    expect(revisions(next)).toEqual([['m', 3, [9_000, 1_000]]]);
    const left = next.plan('m')!.slots.filter((slot, i) => slot !== before[i]);
    expect(left).toHaveLength(300);
  });

  it('begins a plan anew, under a revision nobody has seen, where the variants are others', () => {
    const book = bookOf({ m: ['v1', 'v2:5'] });
    weigh(book, 'm', { v2: 700 });
    expect(revisions(book.under(configOf({ m: ['v1', 'v3:5'] })))).toEqual([['m', 3, [9_500, 500]]]);
  });

  it('leaves a variant out that was taken out, unless the config says something new about it', () => {
    const book = bookOf({ m: ['v1', 'v2:0'] });
    const v2 = { model: 'm', variant: 'v2' };
    book.setUnloaded(v2, true);
    expect(book.under(configOf({ m: ['v1', 'v2:0'], n: ['v1'] })).isUnloaded(v2)).toBe(true);
    expect(book.under(configOf({ m: ['v1', 'v2:1'] })).isUnloaded(v2)).toBe(false);
    expect(book.under(configOf({ m: ['v1'] })).isUnloaded(v2)).toBe(false);
  });

  it('forgets no revoked key', () => {
    const book = bookOf({ m: ['v1'] });
    book.revoke('k');
    expect([...book.under(configOf({ n: ['v1'] })).revokedKeys]).toEqual(['k']);
  });
});
