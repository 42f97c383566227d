import { isDeepStrictEqual } from 'node:util';

/** Longest list of changes that a record holds. */
const MAX_PATHS = 50;

/** Where two configs differ, as paths joined by dots; lists are compared as a whole. Never a value: records outlive secrets. */
export function changedPaths(before: unknown, after: unknown, path = ''): readonly string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isMap(before) || !isMap(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys]
    .flatMap((key) => changedPaths(before[key], after[key], path === '' ? key : `${path}.${key}`))
    .slice(0, MAX_PATHS);
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
