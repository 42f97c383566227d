import type { Endpoint } from './endpoint.ts';

/**
 * Rendezvous hashing: every endpoint draws a number for the key, and the highest wins. All replicas agree without a word, and when an
 * endpoint goes, only its own keys move; when one comes, keys move only to it.
 */

/** Null when there is none besides `avoid`. @hot */
export function rendezvous(endpoints: readonly Endpoint[], key: number, avoid: string): Endpoint | null {
  let found: Endpoint | null = null;
  let highest = -1;
  for (let i = 0; i < endpoints.length; i++) {
    const endpoint = endpoints[i]!;
    if (endpoint.label === avoid) continue;
    const drawn = mix(endpoint.hash ^ key);
    if (drawn <= highest) continue;
    highest = drawn;
    found = endpoint;
  }
  return found;
}

/** 32-bit FNV-1a. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** Spreads every bit over all others: a bijection, so that equal draws come from equal hashes alone (Murmur3's last step). @hot */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
