import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { passedTracestate } from '../../../src/telemetry/tracestate.ts';

const member = (key: string, bytes: number): string => `${key}=${'x'.repeat(bytes - key.length - 1)}`;
const SEED = 20_263;

const key = fc.stringMatching(/^[a-z0-9][a-z0-9_\-*/@]{0,20}$/);
const value = fc.stringMatching(/^[!-+\--<>-~]{1,200}$/);
const members = fc
  .uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 32 })
  .map((pairs) => pairs.map((pair) => pair.join('=')));

describe('tracestate', () => {
  it.each([
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    ['rojo=1 ,\tcongo=a b!', 'rojo=1,congo=a b!'],
    ['tenant@system=1,0digit=2,a_b-c*d/e=3', 'tenant@system=1,0digit=2,a_b-c*d/e=3'],
    [',rojo=1,,', 'rojo=1'],
    ['', ''],
    [',', ''],
  ])('passes on what is well formed: %j', (state, passed) => {
    expect(passedTracestate(state)).toBe(passed);
  });

  it.each([
    ['no value', 'rojo'],
    ['an empty value', 'rojo='],
    ['an empty key', '=1'],
    ['a key in upper case', 'Rojo=1'],
    ['a key that is too long', `${'a'.repeat(257)}=1`],
    ['a value that is too long', `a=${'x'.repeat(257)}`],
    ['an equals sign in a value', 'a=b=c'],
    ['a line break', 'a=b\r\nx: y'],
    ['what is no ASCII', 'a=ü'],
    ['a key twice', 'a=1,b=2,a=3'],
    ['too many members', Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(',')],
    ['one bad member among good ones', 'a=1,b,c=3'],
    ['more than anybody reads', ','.repeat(4_097)],
  ])('passes nothing on of what has %s', (_what, state) => {
    expect(passedTracestate(state)).toBe('');
  });

  it('gives up long members first and then the last ones, until 512 bytes are left', () => {
    const long = member('long', 200);
    const short = ['a', 'b', 'c', 'd'].map((name) => member(name, 100));
    expect(passedTracestate([short[0], long, ...short.slice(1)].join(','))).toBe(short.join(','));
    const five = [...short, member('e', 108), member('f', 3)];
    expect(passedTracestate(five.join(','))).toBe(five.slice(0, 5).join(','));
    expect(passedTracestate(five.slice(0, 5).join(','))).toHaveLength(512);
  });

  it('keeps members whole and in order, and is well formed itself', () => {
    fc.assert(
      fc.property(members, (list) => {
        const passed = passedTracestate(list.join(' , '));
        expect(passed.length).toBeLessThanOrEqual(512);
        expect(passedTracestate(passed)).toBe(passed);
        const kept = passed === '' ? [] : passed.split(',');
        expect(list.filter((one) => kept.includes(one))).toEqual(kept);
        if (list.join(',').length <= 512) expect(kept).toEqual(list);
      }),
      { seed: SEED },
    );
  });

  it('lets nothing but printable ASCII through, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (state) => {
        expect(passedTracestate(state)).toMatch(/^[ -~]{0,512}$/);
      }),
      { seed: SEED },
    );
  });
});
