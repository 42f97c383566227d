import { OPEN_ARRAY, OPEN_OBJECT, QUOTE } from '../../../../src/wire/json/ascii.ts';
import { type JsonCursor, NO_KEY } from '../../../../src/wire/json/cursor.ts';
import { NameTable } from '../../../../src/wire/json/name-table.ts';
import { scanNumber, toFloat64 } from '../../../../src/wire/json/number-token.ts';

const NO_NAMES = new NameTable([]);

/** Builds with the cursor what `JSON.parse` builds, to compare the two. Undefined when the cursor refuses. */
export function readText(cursor: JsonCursor, text: Uint8Array): unknown {
  cursor.start(text);
  const value = readValue(cursor);
  return cursor.finish() ? value : undefined;
}

function readValue(cursor: JsonCursor): unknown {
  const byte = cursor.peek();
  if (byte === OPEN_OBJECT) return readObject(cursor);
  if (byte === OPEN_ARRAY) return readArray(cursor);
  if (byte === QUOTE) return cursor.scanString() ? cursor.text() : undefined;
  if (cursor.literal('true')) return true;
  if (cursor.literal('false')) return false;
  if (cursor.literal('null')) return null;
  return scanNumber(cursor) ? toFloat64(cursor) : undefined;
}

function readArray(cursor: JsonCursor): unknown {
  const elements: unknown[] = [];
  cursor.openArray();
  while (cursor.nextElement()) elements.push(readValue(cursor));
  return elements;
}

function readObject(cursor: JsonCursor): unknown {
  const members: [string, unknown][] = [];
  cursor.openObject();
  while (cursor.nextKey(NO_NAMES) !== NO_KEY) members.push([cursor.text(), readValue(cursor)]);
  return Object.fromEntries(members);
}
