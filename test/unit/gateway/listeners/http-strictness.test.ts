import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpHead } from '../../../../src/gateway/listeners/http-head.ts';
import { flawOfRequest, flawOfTarget } from '../../../../src/gateway/listeners/http-strictness.ts';

/** Pieces that targets are put together from, the harmless and the harmful. */
const PIECES = [
  '/',
  '/',
  '//',
  '.',
  '..',
  'v2',
  'models',
  'a.b',
  '..a',
  'a..',
  '%2e',
  '%2F',
  '%41',
  '%5c',
  '%',
  '%4',
  '%00',
  '\\',
];
const MORE = ['?', '#', ';', ':', 'é', ' ', '~', '%20', '%25', 'x=1', '&'];
const targets = fc.array(fc.constantFrom(...PIECES, ...MORE), { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));

describe('flawOfTarget', () => {
  it.each([
    '/',
    '/v2',
    '/v2/',
    '/v2/models/m-1.0_x/infer',
    '/v1/models/m:predict',
    '/v2?a=../..//',
    '/v2/..a/a..',
    '/a%20b',
    '/%41',
  ])('takes %s', (target) => {
    expect(flawOfTarget(target)).toBeNull();
  });

  it('takes only paths that the URL standard reads as they stand', () => {
    fc.assert(
      fc.property(targets, (target) => {
        if (flawOfTarget(target) !== null) return;
        const path = target.split('?')[0]!;
        expect(new URL(`http://gate${target}`).pathname).toBe(path);
      }),
      { numRuns: 2_000, seed: 7 },
    );
  });

  it('takes only paths that hold no separator, dot segment or control character once they are unescaped, twice', () => {
    fc.assert(
      fc.property(targets, (target) => {
        if (flawOfTarget(target) !== null) return;
        const path = target.split('?')[0]!;
        const once = decodeURIComponent(path);
        expect(decodeURIComponent(once)).toBe(once);
        expect(once.split('/').length).toBe(path.split('/').length);
        expect(once.split('/')).not.toContain('..');
        expect(once.split('/')).not.toContain('.');
        expect([...once].every((letter) => letter >= ' ' && letter !== '\\' && letter !== '\x7f')).toBe(true);
      }),
      { numRuns: 2_000, seed: 8 },
    );
  });

  it('refuses every path that the URL standard would change', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const path = target.split(/[?#]/)[0]!;
        let read = '';
        try {
          read = new URL(`http://gate${target}`).pathname;
        } catch {
          // Not even a URL: refused as well.
        }
        if (path !== read) expect(flawOfTarget(target)).not.toBeNull();
      }),
      { numRuns: 2_000, seed: 9 },
    );
  });
});

describe('flawOfRequest', () => {
  /** The same rules in the plainest words. */
  function naive(method: string, fields: readonly string[]): boolean {
    const once = new Set(['host', 'expect', 'x-api-key', 'content-type', 'authorization', 'content-length', 'content-encoding']);
    const values = new Map<string, string[]>();
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i]!.toLowerCase();
      values.set(name, [...(values.get(name) ?? []), fields[i + 1]!]);
    }
    for (const name of once) if ((values.get(name)?.length ?? 0) > 1) return false;
    if (values.has('transfer-encoding')) return false;
    if (!/^[A-Za-z0-9.:_[\]-]+$/.test(values.get('host')?.[0] ?? '')) return false;
    const length = values.get('content-length')?.[0];
    if (length !== undefined && !/^\d{1,15}$/.test(length)) return false;
    return method === 'POST' || length === undefined || Number(length) === 0;
  }
  const name = fc.constantFrom(
    'Host',
    'host',
    'HOST',
    'Content-Length',
    'content-length',
    'Transfer-Encoding',
    'X-Api-Key',
    'x-api-key',
  );
  const other = fc.constantFrom(
    'Authorization',
    'authorization',
    'Content-Type',
    'Expect',
    'Content-Encoding',
    'X-Other',
    'Accept',
  );
  const value = fc.constantFrom('gate', 'gate:8080', '[::1]:80', '', '0', '5', '005', '+5', '5, 5', '1234567890123456', 'a/b');
  const fieldList = fc
    .array(fc.tuple(fc.oneof(name, other, other), value), { maxLength: 6 })
    .map((pairs) => ['Host', 'gate', ...pairs.flat()].slice(pairs.length % 3 === 0 ? 0 : 2));

  it('agrees with a naive reading of the rules', () => {
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST'), fieldList, (method, fields) => {
        expect(flawOfRequest(method, '/v2', fields) === null).toBe(naive(method, fields));
      }),
      { numRuns: 3_000, seed: 10 },
    );
  });
});

describe('HttpHead', () => {
  it('finds only what was sent, not what an object happens to have', () => {
    const head = new HttpHead('GET', '/v2?a=b?c', { 'x-a': '1', 'set-cookie': ['a', 'b'] }, '::1');
    expect(head).toMatchObject({ path: '/v2', query: 'a=b?c', contentLength: 0 });
    expect(head.header('x-a')).toBe('1');
    expect(head.header('set-cookie')).toBe('a, b');
    for (const name of ['toString', 'constructor', '__proto__', 'x-b']) expect(head.header(name)).toBe('');
  });
});
