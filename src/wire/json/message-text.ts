/** Pieces of refusals: what a caller sent, cut short so that no message grows with the body. */

const MAX_QUOTED = 64;
const MAX_DIMENSIONS = 8;

/** A name in quotes, escaped and cut. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= MAX_QUOTED ? text : `${text.slice(0, MAX_QUOTED)}…`);
}

/** `[1,28,28]` */
export function shapeText(shape: readonly number[]): string {
  return shape.length <= MAX_DIMENSIONS ? `[${shape.join(',')}]` : `[${shape.slice(0, MAX_DIMENSIONS).join(',')},…]`;
}
