import { JsonCursor } from '../json/cursor.ts';
import { skipValue } from '../json/skip.ts';

const MAX_DEPTH = 64;

/** A JSON text that is no tensor data and not on the request path, as a value; or null when it is none, or nests too deep to be read safely. */
export function smallJson(text: Uint8Array): unknown {
  const cursor = new JsonCursor(MAX_DEPTH);
  // A megabyte of brackets keeps JSON.parse busy for a quarter of a second.
  const sound = cursor.start(text) && skipValue(cursor, false) !== -1 && cursor.finish();
  return sound ? JSON.parse(Buffer.from(text).toString()) : null;
}

/** A JSON object as a map of its own keys, or null when the value is none. */
export function fieldsOf(value: unknown): ReadonlyMap<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : null;
}
