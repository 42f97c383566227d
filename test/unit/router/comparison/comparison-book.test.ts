import { describe, expect, it } from 'vitest';
import type { ComparisonConfig } from '../../../../src/config/comparison-schema.ts';
import type { Prediction } from '../../../../src/core/inference.ts';
import type { Variant } from '../../../../src/core/traffic.ts';
import { ComparisonBook, type PairReport } from '../../../../src/router/comparison/comparison-book.ts';
import { mergedFigures, mergedSamples, pairView } from '../../../../src/router/comparison/pair-view.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { answeredOf } from '../copies/copy-bench.ts';
import { floats, predictionOf, requestOf, variantOf } from '../fakes.ts';
import { policyOf } from './policies.ts';

const stable = variantOf('v1');
const canary = variantOf('v2', 'canary');
const shadow = variantOf('dark', 'shadow');
const LEFT = predictionOf(floats([9, 1]));
const RIGHT = predictionOf(floats([1, 9]));

class World {
  readonly pairs: unknown[] = [];
  readonly book: ComparisonBook;

  constructor(policy: Partial<ComparisonConfig> = {}) {
    this.book = new ComparisonBook({
      policies: { digits: policyOf(policy), other: policyOf() },
      clock: new FakeClock(),
      evidence: { pair: (...pair) => void this.pairs.push(pair) },
      costOf: () => 30,
    });
  }

  compare(by: Variant, prediction: Prediction, second: Variant, other: Prediction, requestId = 'r1'): string {
    const answered = answeredOf({ by, stable, prediction, requestId, tookUs: 1_000, costNano: 10 });
    return this.book.compare(answered, { by: second, prediction: other, tookUs: 2_000 });
  }

  get report(): readonly PairReport[] {
    return this.book.report('digits', true);
  }
}

describe('ComparisonBook', () => {
  it('tells a rollout of pairs of stable and a canary, whichever was asked first, and of no others', () => {
    const world = new World();
    expect(world.compare(stable, LEFT, canary, RIGHT)).toBe('disagreed');
    expect(world.compare(canary, LEFT, stable, LEFT)).toBe('agreed');
    expect(world.compare(stable, LEFT, canary, predictionOf())).toBe('incomparable');
    world.compare(stable, LEFT, shadow, RIGHT);
    world.compare(canary, LEFT, shadow, RIGHT);
    expect(world.pairs).toEqual([
      ['digits', 'v2', 7, true],
      ['digits', 'v2', 7, false],
    ]);
  });

  it('counts a shadow against stable alone, though it says how it agrees with whoever answered', () => {
    const world = new World();
    expect(world.compare(canary, LEFT, shadow, RIGHT)).toBe('disagreed');
    world.book.ended(answeredOf({ by: canary, stable }), shadow, 'failed');
    expect(world.report).toEqual([]);
    world.compare(stable, LEFT, shadow, RIGHT);
    world.book.ended(answeredOf({ by: stable, stable }), shadow, 'failed');
    world.book.ended(answeredOf({ by: stable, stable }), shadow, 'dropped');
    expect(world.report[0]).toMatchObject({
      variant: 'dark',
      figures: { disagreed: 1, dropped: 1, toVariant: { ended: 2, failed: 1 } },
    });
  });

  it('holds times and costs as variant over stable, whichever was asked first', () => {
    const world = new World();
    world.compare(stable, LEFT, canary, LEFT);
    const first = world.report[0]!.figures;
    expect([Math.exp(first.latency.sum), first.cost.sum]).toEqual([2, 20]);
    world.compare(canary, LEFT, stable, LEFT);
    expect([Math.exp(first.latency.sum), first.cost.sum]).toEqual([1, 0]);
  });

  it('keeps of tensors what policy allows and no more', () => {
    const request = requestOf([floats([1, 2, 3, 4], [1, 4], 'x')]);
    const noteOf = (policy: Partial<ComparisonConfig>) => {
      const world = new World(policy);
      const answered = answeredOf({ by: stable, stable, prediction: LEFT, request });
      world.book.compare(answered, { by: canary, prediction: RIGHT, tookUs: 0 });
      return world.report[0]!.disagreements.items[0]!;
    };
    expect(noteOf({ tensors: 'none' })).toMatchObject({ inputs: [], stableOutputs: [], variantOutputs: [] });
    const hashed = noteOf({ tensors: 'hash' });
    expect(hashed.inputs[0]).toMatchObject({ name: 'x', sizeBytes: 16, base64: '' });
    expect(hashed.stableOutputs[0]!.sha256).not.toBe(hashed.variantOutputs[0]!.sha256);
    const full = noteOf({ tensors: 'values', maxKeptBytes: 6 });
    expect(Buffer.from(full.inputs[0]!.base64, 'base64')).toEqual(Buffer.from(request.inputs[0]!.data.subarray(0, 6)));
    expect(full).toMatchObject({ kind: 'argmax', row: 0, stableArgmax: 0, variantArgmax: 1, maxDifference: 8 });
  });

  it('reports one model or all, and samples where they are asked for', () => {
    const world = new World({ keep: 2 });
    for (const id of ['a', 'b', 'c']) world.compare(stable, LEFT, canary, RIGHT, id);
    expect(world.book.report('other', true)).toEqual([]);
    expect(world.book.report('', false)).toMatchObject([
      { model: 'digits', variant: 'v2', disagreements: { seen: 3, items: [] } },
    ]);
    expect(world.report[0]!.disagreements.items).toHaveLength(2);
    expect(structuredClone(world.report)).toEqual(world.report);
  });
});

describe('the reports of several workers', () => {
  it('are one, and leave each report as it was', () => {
    const [one, two] = [new World({ keep: 2 }), new World({ keep: 2 })];
    one.compare(stable, LEFT, canary, RIGHT, 'a');
    one.compare(stable, LEFT, shadow, LEFT, 'b');
    two.compare(stable, LEFT, canary, LEFT, 'c');
    const reports = [one.report, two.report];
    const before = structuredClone(reports);
    const merged = mergedFigures(reports);
    expect(reports).toEqual(before);
    expect(merged.map(({ variant, figures: { agreed, disagreed } }) => [variant, agreed, disagreed])).toEqual([
      ['dark', 1, 0],
      ['v2', 1, 1],
    ]);
    expect(mergedSamples(reports, '', 5)).toMatchObject({ seen: 1, items: [{ requestId: 'a' }] });
    expect(mergedSamples(reports, 'dark', 5)).toEqual({ seen: 0, items: [] });
    const calls = { stable: { attempts: 10, failures: 1 }, variant: { attempts: 4, failures: 2 } };
    const view = pairView({ variant: 'v2', role: 'canary' }, merged[1]!.figures, calls);
    expect(view).toMatchObject({
      agreement: { count: 1, of: 2, share: 0.5 },
      latencyRatio: { count: 2 },
      costDifferenceNano: { mean: 20 },
      failures: { stable: { share: 0.1 }, variant: { share: 0.5 } },
    });
    expect(view.latencyRatio.mean).toBeCloseTo(2, 9);
  });
});
