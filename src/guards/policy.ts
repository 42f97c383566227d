import { hash } from 'node:crypto';
import type { GuardConfig } from '../config/guard-schema.ts';

/** Digest of guards as configured, in order: two chains with the same digest rule the same. Part of every cache key. */
export function policyOf(configs: readonly GuardConfig[]): string {
  return hash('sha256', canonicalJson(configs), 'hex');
}

/** JSON with the keys of every object in code unit order, so that the order in which a person wrote them does not matter. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
