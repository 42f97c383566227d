import { SeededRandom } from '../../../scripts/models/seeded-random.ts';

const MOST_BYTES = [1, 7, 20, 60, 100, 200, 400, 800, 2_000];

/** The same bytes in pieces, as a socket may bring them: other pieces for other bytes, and the same for the same. */
export function piecesOf(bytes: Buffer): Buffer[] {
  const random = new SeededRandom(bytes.length + (bytes[bytes.length >> 1] ?? 0) * 65_537 + (bytes.at(-1) ?? 0) * 257);
  const most = MOST_BYTES[random.below(MOST_BYTES.length)]!;
  const pieces: Buffer[] = [];
  // Byte for byte only where that does not take for ever.
  for (let at = 0; at < bytes.length; at += pieces.at(-1)!.length) {
    const size = bytes.length > 5_000 ? 1 + random.below(2_000) : 1 + random.below(most);
    pieces.push(bytes.subarray(at, at + size));
  }
  return pieces;
}

export function same(one: unknown, other: unknown, what: string): void {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
  if (a === b) return;
  let at = 0;
  while (a[at] === b[at]) at++;
  const around = (text: string): string => text.slice(Math.max(0, at - 60), at + 120);
  throw new Error(`${what} differ: …${around(a)}… is not …${around(b)}…`);
}
