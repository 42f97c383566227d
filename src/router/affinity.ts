/** Hashes that decide who gets what: the same on every replica and after every restart, with no secret and no chance in them. */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Unsigned 32-bit hash of a sticky key: FNV-1a over its UTF-16 units, then mixed, since FNV alone leaves the high bits of short keys
 * alike.
 *
 * @hot
 */
export function affinityOf(key: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME);
  return mixed(hash);
}

/**
 * The finaliser of MurmurHash3: a bijection in which every input bit changes every output bit with a chance of about one half.
 *
 * @hot
 */
export function mixed(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
