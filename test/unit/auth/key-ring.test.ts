import { timingSafeEqual } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { mintKey } from '../../../src/auth/api-key.ts';
import { type KeyEntry, KeyRing } from '../../../src/auth/key-ring.ts';
import { Proof, type Tenant } from '../../../src/core/tenant.ts';

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) };
});

const tenantOf = (id: string): Tenant => ({
  id,
  buckets: [],
  ratePerSecond: 1,
  burst: 1,
  priority: 3,
  concurrency: { take: () => true, release: () => {}, inFlight: 0, capacity: 1 },
  bytes: { take: () => true, give: () => {}, usedBytes: 0, capacityBytes: 1 },
});

const acme = tenantOf('acme');

function entryOf(minted: { id: string; sha256: string }, changes: Partial<KeyEntry> = {}): KeyEntry {
  return {
    id: minted.id,
    sha256: Buffer.from(minted.sha256, 'hex'),
    scopes: ['infer'],
    models: ['*'],
    expiresMs: null,
    tenant: acme,
    ...changes,
  };
}

/** Digest comparisons that one look-up makes. */
function comparisons(ring: KeyRing, key: string): number {
  vi.mocked(timingSafeEqual).mockClear();
  ring.identify(key, 0);
  return vi.mocked(timingSafeEqual).mock.calls.length;
}

describe('KeyRing', () => {
  beforeEach(() => {
    vi.mocked(timingSafeEqual).mockClear();
  });

  it('finds whose key it is and what it may do', () => {
    const minted = mintKey('live');
    const ring = new KeyRing([
      entryOf(mintKey('live')),
      entryOf(minted, { scopes: ['infer', 'route:override'], models: ['digits', 'spam'] }),
    ]);
    const principal = ring.identify(minted.key, 0)!;
    expect(principal.tenant).toBe(acme);
    expect(principal.keyId).toBe(minted.id);
    expect([...principal.scopes]).toEqual(['infer', 'route:override']);
    expect(['digits', 'spam', 'other', '*'].map((model) => principal.allows(model))).toEqual([true, true, false, false]);
  });

  it('allows every model to a key with the star', () => {
    const minted = mintKey('live');
    expect(new KeyRing([entryOf(minted, { models: ['digits', '*'] })]).identify(minted.key, 0)!.allows('anything')).toBe(true);
  });

  it('gives the same object for each request with a key', () => {
    const minted = mintKey('live');
    const ring = new KeyRing([entryOf(minted)]);
    expect(ring.identify(minted.key, 1)).toBe(ring.identify(minted.key, 2));
  });

  it('knows nobody when it is empty', () => {
    expect(new KeyRing([]).identify(mintKey('live').key, 0)).toBeNull();
  });

  it('refuses malformed text before it compares anything', () => {
    const minted = mintKey('live');
    const ring = new KeyRing([entryOf(minted)]);
    for (const text of ['', '?', minted.key.slice(1), `${minted.key}x`]) expect(ring.identify(text, 0)).toBeNull();
    expect(timingSafeEqual).not.toHaveBeenCalled();
  });

  it('refuses another well-formed secret under a known id, and a known secret under another environment', () => {
    const minted = mintKey('live');
    const ring = new KeyRing([entryOf(minted)]);
    expect(ring.identify(mintKey('live', minted.id).key, 0)).toBeNull();
    expect(ring.identify(mintKey('test', minted.id).key, 0)).toBeNull();
  });

  it('refuses a key from the moment it expires', () => {
    const minted = mintKey('live');
    const ring = new KeyRing([entryOf(minted, { expiresMs: 1_000 })]);
    expect(ring.identify(minted.key, 999)).not.toBeNull();
    expect(ring.identify(minted.key, 1_000)).toBeNull();
  });

  it('asks nothing of a credential that it has proved, until its key is revoked or expires', () => {
    const minted = mintKey('live');
    const ring = new KeyRing([entryOf(minted, { expiresMs: 1_000 })]);
    const proof = new Proof();
    const principal = ring.identify(minted.key, 0, proof);
    vi.mocked(timingSafeEqual).mockClear();
    expect(ring.identify(minted.key, 999, proof)).toBe(principal);
    expect(timingSafeEqual).not.toHaveBeenCalled();
    expect(ring.identify(minted.key, 1_000, proof)).toBeNull();
    ring.revoke(minted.id);
    expect(ring.identify(minted.key, 0, proof)).toBeNull();
  });

  it('takes no proof of another ring, and proves nothing with a key that it does not know', () => {
    const minted = mintKey('live');
    const proof = new Proof();
    expect(new KeyRing([entryOf(minted)]).identify(minted.key, 0, proof)).not.toBeNull();
    expect(new KeyRing([]).identify(minted.key, 0, proof)).toBeNull();
    const empty = new Proof();
    const ring = new KeyRing([entryOf(minted)]);
    expect(ring.identify(mintKey('live', minted.id).key, 0, empty)).toBeNull();
    expect(empty).toEqual(new Proof());
  });

  it('takes both secrets of an id while it is rotated, until the old one expires', () => {
    const old = mintKey('live');
    const fresh = mintKey('live', old.id);
    const ring = new KeyRing([entryOf(old, { expiresMs: 1_000 }), entryOf(fresh)]);
    expect(ring.identify(old.key, 999)).not.toBeNull();
    expect(ring.identify(fresh.key, 999)).not.toBeNull();
    expect(ring.identify(old.key, 1_000)).toBeNull();
    expect(ring.identify(fresh.key, 1_000)).not.toBeNull();
  });

  it('makes as many comparisons for an unknown id as for a wrong or a right secret, rotated or not', () => {
    const single = mintKey('live');
    const old = mintKey('live');
    const fresh = mintKey('live', old.id);
    const ring = new KeyRing([entryOf(single), entryOf(old, { expiresMs: 0 }), entryOf(fresh)]);
    const tried = [single, old, fresh, mintKey('live'), mintKey('live', single.id), mintKey('live', old.id)];
    expect(tried.map(({ key }) => comparisons(ring, key))).toEqual([2, 2, 2, 2, 2, 2]);
    expect(comparisons(new KeyRing([entryOf(single)]), mintKey('live').key)).toBe(1);
    expect(comparisons(new KeyRing([]), single.key)).toBe(1);
  });

  it('finds exactly the keys it was given', () => {
    const minted = Array.from({ length: 24 }, (_, i) =>
      mintKey('live', i < 8 ? 'rotating'.slice(0, 7) + String(i % 4) : undefined),
    );
    fc.assert(
      fc.property(fc.subarray(minted), (held) => {
        const ring = new KeyRing(held.map((key) => entryOf(key)));
        for (const key of minted) expect(ring.identify(key.key, 0)?.keyId ?? null).toBe(held.includes(key) ? key.id : null);
      }),
      { numRuns: 50 },
    );
  });

  it('cannot be built from entries that contradict each other', () => {
    const minted = mintKey('live');
    const again = mintKey('live', minted.id);
    expect(() => new KeyRing([entryOf(minted), entryOf(minted)])).toThrow(`API key "${minted.id}": stands in the config twice`);
    expect(() => new KeyRing([entryOf(minted), entryOf(again, { tenant: tenantOf('other') })])).toThrow(
      'belongs to "acme" and to "other"',
    );
    expect(() => new KeyRing([entryOf(minted, { sha256: Buffer.alloc(20) })])).toThrow(
      'its digest has 20 bytes, expected the 32 of SHA-256',
    );
    const five = Array.from({ length: 5 }, () => entryOf(mintKey('live', minted.id)));
    expect(() => new KeyRing(five)).toThrow('stands 5 times in the config, expected at most 4');
  });
});

describe('a key that is added to the ring', () => {
  const minted = mintKey('live', 'added001');
  const added = { ...entryOf(minted), tenant: 'acme' };

  it('opens, expires and is revoked as one of the config, at the same number of comparisons', () => {
    const known = mintKey('live', 'known001');
    const ring = new KeyRing([entryOf(known), entryOf({ ...mintKey('live', 'known001'), id: 'known001' })]);
    expect(ring.identify(minted.key, 0)).toBeNull();
    ring.add({ ...added, expiresMs: 10 });
    ring.add({ ...added, expiresMs: 10 });
    expect(ring.identify(minted.key, 9)).toMatchObject({ keyId: 'added001', tenant: acme });
    expect(ring.identify(minted.key, 10)).toBeNull();
    expect(comparisons(ring, minted.key)).toBe(comparisons(ring, known.key));
    ring.revoke('added001');
    expect(ring.identify(minted.key, 0)).toBeNull();
  });

  it('changes nothing where config has its id, and nothing where its tenant is not known', () => {
    const known = mintKey('live', 'added001');
    const ring = new KeyRing([entryOf(known)]);
    ring.add(added);
    ring.add({ ...added, id: 'added002', tenant: 'nobody' });
    expect([ring.identify(minted.key, 0), ring.identify(known.key, 0)?.keyId]).toEqual([null, 'added001']);
  });
});
