import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mintKey, parseKey, sha256Of } from '../../../src/auth/api-key.ts';
import { apiKey } from '../../../src/config/tenant-schema.ts';

const UNITS = 'abcxyzABCXYZ0189_-. é\u0000';

describe('an API key', () => {
  it('has the documented form and states its own id', () => {
    const { key, id } = mintKey('live');
    expect(key).toMatch(/^sl_live_[a-z0-9]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
    expect(parseKey(key)).toEqual({ id });
  });

  it('has the digest that config keeps', () => {
    const { key, id, sha256 } = mintKey('test');
    expect(sha256).toBe(createHash('sha256').update(key).digest('hex'));
    expect(sha256Of(key).toString('hex')).toBe(sha256);
    expect(apiKey.safeParse({ id, sha256 }).success).toBe(true);
  });

  it('can be minted anew under the same id', () => {
    const first = mintKey('live');
    const second = mintKey('live', first.id);
    expect(second.id).toBe(first.id);
    expect(second.key).not.toBe(first.key);
  });

  it('is not minted for an environment or id that could not be read back', () => {
    expect(() => mintKey('Live')).toThrow(
      'environment "Live" cannot stand in a key: expected 1 to 16 lower-case letters or digits',
    );
    expect(() => mintKey('')).toThrow('environment ""');
    expect(() => mintKey('a'.repeat(17))).toThrow('environment');
    expect(() => mintKey('live', 'short')).toThrow('id "short" cannot stand in a key: expected 8 lower-case letters or digits');
  });

  it('can be read back whatever its environment', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{1,16}$/), fc.stringMatching(/^[a-z0-9]{8}$/), (env, id) => {
        expect(parseKey(mintKey(env, id).key)).toEqual({ id });
      }),
    );
  });

  it('is refused with any one character changed, since the checksum tells', () => {
    const { key } = mintKey('live');
    for (let at = 0; at < key.length; at++) {
      for (const unit of UNITS) {
        if (unit === key[at]) continue;
        expect(parseKey(key.slice(0, at) + unit + key.slice(at + 1))).toBeNull();
      }
    }
  });

  it('is refused with one character missing, doubled, or swapped with its neighbour', () => {
    const { key } = mintKey('live');
    for (let at = 0; at < key.length; at++) {
      expect(parseKey(key.slice(0, at) + key.slice(at + 1))).toBeNull();
      expect(parseKey(key.slice(0, at) + key[at] + key.slice(at))).toBeNull();
      const swapped = key.slice(0, at) + (key[at + 1] ?? '') + key[at] + key.slice(at + 2);
      if (swapped !== key) expect(parseKey(swapped)).toBeNull();
    }
  });

  it('is refused with anything around it', () => {
    const { key } = mintKey('live');
    for (const text of [` ${key}`, `${key} `, `${key}\n`, `Bearer ${key}`, key.toUpperCase(), key + key])
      expect(parseKey(text)).toBeNull();
  });

  it('is nothing that other texts could be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(parseKey(text)).toBeNull();
      }),
    );
    for (const text of ['', '?', 'sl_', '_'.repeat(79), 'sl_'.repeat(100_000)]) expect(parseKey(text)).toBeNull();
  });
});
