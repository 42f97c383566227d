import { OPEN_ARRAY } from '../json/ascii.ts';
import type { JsonCursor } from '../json/cursor.ts';
import { passElements, passValue } from '../json/skip.ts';

/**
 * The shape of the value at the cursor, for protocols that do not state it: each dimension is as long as the first array that stands for
 * it. Whether the others are as long, and well formed, shows when they are read. Leaves the cursor where it is; null when it has failed.
 */
export function nestedShape(cursor: JsonCursor): number[] | null {
  cursor.peek();
  const start = cursor.at;
  const outside = cursor.depth;
  const shape: number[] = [];
  let isEmpty = false;
  while (!isEmpty && cursor.peek() === OPEN_ARRAY) {
    if (!cursor.openArray()) return null;
    shape.push(0);
    isEmpty = !cursor.nextElement();
  }
  if (cursor.fault !== '' || !countInner(cursor, shape, isEmpty)) return null;
  for (let dimension = shape.length - 2; dimension >= 0; dimension--) {
    const size = countArrays(cursor);
    if (size === -1) return null;
    shape[dimension] = size;
  }
  cursor.rewind(start, outside);
  return shape;
}

/** Counts the innermost array, which has closed itself where it is empty, and passes over a value that is in none. */
function countInner(cursor: JsonCursor, shape: number[], isEmpty: boolean): boolean {
  if (shape.length === 0) return passValue(cursor);
  if (isEmpty) return true;
  const size = passElements(cursor);
  if (size === -1) return false;
  shape[shape.length - 1] = size;
  return !cursor.nextElement() && cursor.fault === '';
}

/** Passes over the rest of the open array, the first of whose elements is behind the cursor. How many it has, or -1 on a fault. */
function countArrays(cursor: JsonCursor): number {
  let count = 1;
  while (cursor.nextElement()) {
    if (!passValue(cursor)) return -1;
    count++;
  }
  return cursor.fault === '' ? count : -1;
}
