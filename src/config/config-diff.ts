import { isDeepStrictEqual } from 'node:util';
import type { Config } from './schema.ts';

/** What differs between two parsed configs, and what it takes to bring each difference into a running gateway. */

/** A key, or one element of a list whose elements have names; `nth` counts those of one name from 1, as two secrets of one key. */
export type PathStep = string | { readonly name: string; readonly nth: number };

/** plan: as a weight change does; workers: by worker processes that start with the new config; restart: by a restart of the whole. */
export type AppliedBy = 'plan' | 'workers' | 'restart';

export interface ConfigChange {
  readonly path: readonly PathStep[];
  /** Reordered: `before` and `after` are the names of the list's elements, those of elements just removed or added included. */
  readonly is: 'changed' | 'added' | 'removed' | 'reordered';
  /** As parsed, so secrets' digests are among them: `changeText` is what may be shown. Null for what was added. */
  readonly before: unknown;
  /** Null for what was removed. */
  readonly after: unknown;
  readonly appliedBy: AppliedBy;
}

/** All changes that lead from one to the other, in an order in which they can be made. Empty when the two say the same. */
export function diffConfigs(before: Config, after: Config): ConfigChange[] {
  const changes: ConfigChange[] = [];
  compare([], before, after, changes);
  return changes;
}

type Fields = Readonly<Record<string, unknown>>;

function compare(path: readonly PathStep[], before: unknown, after: unknown, changes: ConfigChange[]): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isNamedList(before) && isNamedList(after)) compareLists(path, before, after, changes);
  else if (isFields(before) && isFields(after) && before['kind'] === after['kind']) compareFields(path, before, after, changes);
  else note(changes, path, 'changed', before, after);
}

function compareFields(path: readonly PathStep[], before: Fields, after: Fields, changes: ConfigChange[]): void {
  for (const key of Object.keys(before)) {
    if (Object.hasOwn(after, key)) compare([...path, key], before[key], after[key], changes);
    else note(changes, [...path, key], 'removed', before[key], null);
  }
  for (const key of Object.keys(after)) {
    if (!Object.hasOwn(before, key)) note(changes, [...path, key], 'added', null, after[key]);
  }
}

/** Elements are the same when their names are, wherever they stand. The order is compared last: guards run in it. */
function compareLists(
  path: readonly PathStep[],
  before: readonly Fields[],
  after: readonly Fields[],
  changes: ConfigChange[],
): void {
  const old = byStep(before);
  const fresh = byStep(after);
  for (const [key, { step, element }] of old) {
    const other = fresh.get(key);
    if (other !== undefined) compare([...path, step], element, other.element, changes);
  }
  const gone = [...old].filter(([key]) => !fresh.has(key));
  // Backwards, so that the one behind an element of the same name keeps its number until it has gone itself.
  for (const [, { step, element }] of gone.reverse()) note(changes, [...path, step], 'removed', element, null);
  const come = [...fresh].filter(([key]) => !old.has(key));
  for (const [, { step, element }] of come) note(changes, [...path, step], 'added', null, element);
  const kept = [...old].filter(([key]) => fresh.has(key));
  const reached = [...kept, ...come].map(([, { element }]) => nameOf(element));
  const wanted = after.map(nameOf);
  if (!isDeepStrictEqual(reached, wanted)) note(changes, path, 'reordered', reached, wanted);
}

interface Named {
  readonly step: PathStep;
  readonly element: Fields;
}

function byStep(list: readonly Fields[]): Map<string, Named> {
  const seen = new Map<string, number>();
  const named = new Map<string, Named>();
  for (const element of list) {
    const name = nameOf(element);
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    named.set(`${nth} ${name}`, { step: { name, nth }, element });
  }
  return named;
}

function note(changes: ConfigChange[], path: readonly PathStep[], is: ConfigChange['is'], before: unknown, after: unknown): void {
  changes.push({ path, is, before, after, appliedBy: appliedBy(path, is) });
}

/** What one process holds for all workers: they come and go while it stays. */
const OF_THE_WHOLE: readonly (readonly string[])[] = [['listen', 'admin'], ['stateDir'], ['audit']];
/** A token that leaked must be closed without closing the gateway. */
const RELOADED: readonly (readonly string[])[] = [
  ['listen', 'admin', 'tokens'],
  ['listen', 'admin', 'maxIssuedKeys'],
];

function appliedBy(path: readonly PathStep[], is: ConfigChange['is']): AppliedBy {
  const isBelow = (prefixes: typeof RELOADED): boolean => prefixes.some((prefix) => prefix.every((key, i) => path[i] === key));
  if (isBelow(OF_THE_WHOLE) && !isBelow(RELOADED)) return 'restart';
  const [models, , section, , weight] = path;
  const isWeight = path.length === 5 && section === 'variants' && weight === 'weight';
  const isOther = path.length === 3 && (section === 'pins' || section === 'fallbacks');
  return models === 'models' && (isWeight || isOther) && is === 'changed' ? 'plan' : 'workers';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tenants, keys, variants, guards. */
function isNamedList(value: unknown): value is readonly Fields[] {
  return (
    Array.isArray(value) && value.every((element) => isFields(element) && typeof (element['id'] ?? element['name']) === 'string')
  );
}

const nameOf = (element: Fields): string => String(element['id'] ?? element['name']);
