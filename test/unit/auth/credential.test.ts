import { describe, expect, it } from 'vitest';
import { mintKey } from '../../../src/auth/api-key.ts';
import { credentialOf, UNUSABLE_CREDENTIAL } from '../../../src/auth/credential.ts';
import { KeyRing } from '../../../src/auth/key-ring.ts';
import type { Head } from '../../../src/core/exchange.ts';

function credentialFrom(headers: Readonly<Record<string, string>>): string {
  const head: Head = {
    face: 'http',
    method: 'POST',
    path: '/v2/models/digits/infer',
    query: '',
    contentLength: 0,
    timeoutMs: 0,
    remoteAddress: '127.0.0.1',
    notes: null,
    header: (name) => headers[name] ?? '',
  };
  return credentialOf(head);
}

describe('credentialOf', () => {
  it.each([
    ['a bearer token', { authorization: 'Bearer abc' }],
    ['the scheme in any case', { authorization: 'bEARER abc' }],
    ['more spaces', { authorization: ' Bearer   abc ' }],
    ['x-api-key', { 'x-api-key': ' abc ' }],
    ['both, when they agree', { authorization: 'Bearer abc', 'x-api-key': 'abc' }],
    ['x-api-key beside another scheme', { authorization: 'Basic dXNlcg==', 'x-api-key': 'abc' }],
  ])('reads %s', (_, headers) => {
    expect(credentialFrom(headers)).toBe('abc');
  });

  it('is empty when nothing was sent', () => {
    expect(credentialFrom({})).toBe('');
    expect(credentialFrom({ authorization: '', 'x-api-key': '  ' })).toBe('');
  });

  it.each([
    ['two that differ', { authorization: 'Bearer abc', 'x-api-key': 'abd' }],
    ['another scheme alone', { authorization: 'Basic dXNlcg==' }],
    ['a scheme without a token', { authorization: 'Bearer ' }],
    ['a bare token', { authorization: 'abc' }],
  ])('cannot use %s', (_, headers) => {
    expect(credentialFrom(headers)).toBe(UNUSABLE_CREDENTIAL);
  });

  it('gives nothing that a key ring knows when it cannot use what was sent', () => {
    const { id, sha256 } = mintKey('live');
    const tenant = {
      id: 'acme',
      buckets: [],
      ratePerSecond: 1,
      burst: 1,
      priority: 3,
      concurrency: { take: () => true, release: () => {}, inFlight: 0, capacity: 1 },
      bytes: { take: () => true, give: () => {}, usedBytes: 0, capacityBytes: 1 },
    };
    const ring = new KeyRing([{ id, sha256: Buffer.from(sha256, 'hex'), scopes: [], models: ['*'], expiresMs: null, tenant }]);
    expect(ring.identify(UNUSABLE_CREDENTIAL, 0)).toBeNull();
  });
});
