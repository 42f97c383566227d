import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FIXED_OUTPUTS } from '../../../../bench/bodies.ts';
import type { Pinning } from '../../../../bench/pinning.ts';
import { REST_ANSWER, whyStrange, whyStrangeJson } from '../../../../bench/wire/fixed-answers.ts';
import type { FixedBackend } from '../../../../bench/wire/nginx.ts';
import { missed, tableOf } from '../../../../bench/wire/results.ts';
import { alternate, median, type RowResult, resultOf, type WireRun } from '../../../../bench/wire/row.ts';
import { wireChart } from '../../../../bench/wire/wire-chart.ts';
import { encodeInferResponse } from '../../../../src/wire/oip/infer-response.ts';

const ABOUT = { id: 'a', name: 'a row', engine: 'own', peerName: 'a peer', limit: 0.5, aim: 0.25 };
const OUTPUTS = FIXED_OUTPUTS.small;

function runOf(rounds: number): WireRun {
  const unused = null as unknown;
  return {
    rounds,
    calls: 1,
    engines: ['own'],
    pinning: unused as Pinning,
    backend: unused as FixedBackend,
    dir: '',
    say: () => undefined,
  };
}

describe('The rounds of a row', () => {
  it('take the sides in turn, each round beginning with another, and leave out those that warm up', async () => {
    const order: string[] = [];
    const side = (name: string): { measure: () => Promise<number> } => ({
      measure: () => Promise.resolve(order.push(name)),
    });
    const figures = await alternate(runOf(2), [side('a'), side('b')]);
    expect(order.join('')).toBe('abbaabba' + 'abba');
    expect(figures).toEqual([
      [9, 12],
      [10, 11],
    ]);
  });

  it('have a median with as many figures below as above', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });
});

describe('What comes of a row', () => {
  const added = (ours: number): RowResult => ({ ...resultOf(ABOUT, [ours], [1]), unit: 'ms', judged: 'added' });

  it('is missed beyond its limit, by ratio or by what is added', () => {
    expect([missed(resultOf(ABOUT, [4], [10])), missed(resultOf(ABOUT, [6], [10]))]).toEqual([false, true]);
    expect([missed(added(1.4)), missed(added(1.6))]).toEqual([false, true]);
  });

  it('is not missed by the package, nor where only the figure is asked', () => {
    expect(missed(resultOf({ ...ABOUT, engine: 'grpc-js' }, [60], [10]))).toBe(false);
    expect(missed(resultOf({ ...ABOUT, limit: null, aim: null }, [60], [10]))).toBe(false);
  });

  it('is missed and said where it is void', () => {
    const row = { ...resultOf(ABOUT, [1], [10]), voided: 'the server counts 3' };
    expect(missed(row)).toBe(true);
    expect(tableOf([row])).toContain('The row "a row" is void: the server counts 3.');
  });

  it('is drawn where it has a limit, is ours and is not void', () => {
    const rows = [
      resultOf(ABOUT, [4], [10]),
      resultOf({ ...ABOUT, name: 'of the package', engine: 'grpc-js' }, [4], [10]),
      { ...resultOf({ ...ABOUT, name: 'void' }, [4], [10]), voided: 'why' },
      { ...added(1.6), name: 'added' },
    ];
    const chart = wireChart(rows);
    expect(chart.match(/<text [^>]*text-anchor="end">[^<]*/g)?.map((text) => text.split('>')[1])).toEqual(['a row', 'added']);
    expect(chart).toContain('0.40×');
    expect(chart).toContain('0.60 ms');
  });
});

describe('An answer that is looked at', () => {
  it('is the right one whoever names the model', () => {
    expect(whyStrange(encodeInferResponse({ model: 'any', version: 'v1', id: '', outputs: OUTPUTS }))).toBe('');
    expect(whyStrangeJson(REST_ANSWER.toString())).toBe('');
  });

  it('is strange when one byte of a tensor differs, when there is none, and when it is no message', () => {
    const data = OUTPUTS[0]!.data.slice();
    data[0]! ^= 1;
    const other = encodeInferResponse({ model: 'any', version: '', id: '', outputs: [{ ...OUTPUTS[0]!, data }] });
    expect(whyStrange(other)).toContain('expected');
    expect(whyStrange(Buffer.alloc(0))).toContain('expected');
    expect(whyStrange(Buffer.of(0xff))).not.toBe('');
    expect([whyStrangeJson('{}'), whyStrangeJson('not JSON')]).not.toContain('');
  });
});
