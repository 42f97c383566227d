import { isDeepStrictEqual } from 'node:util';
import type { ConfigChange } from '../../../config/config-diff.ts';
import type { Config } from '../../../config/schema.ts';

/** Whether nothing has changed but plans: weights of variants that carry traffic, pins and fallbacks. */
export function isReplanning(before: Config, after: Config, changes: readonly ConfigChange[]): boolean {
  const shadows = ({ models }: Config): unknown => Object.values(models).map(({ variants }) => variants.filter(isShadow));
  if (changes.length === 0 || !changes.every(({ appliedBy }) => appliedBy === 'plan')) return false;
  return isDeepStrictEqual(shadows(before), shadows(after));
}

const isShadow = ({ role }: { readonly role: string }): boolean => role === 'shadow';
