/**
 * `list` with one more at its end. The first is alone in a list of its own, since one that grows from nothing has room for sixteen more; so an
 * empty list may be shared, and stays as it is. @hot
 */
export function appended<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item];
  list.push(item);
  return list;
}
