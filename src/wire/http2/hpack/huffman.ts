import { EOS, HUFFMAN_CODES } from './huffman-code.ts';

/**
 * Huffman-coded strings of RFC 7541, 5.2, four bits at a time. Each inner node of the code's tree is a state, and for each state and half
 * octet one number says what follows. No code is shorter than five bits, so half an octet ends at most one symbol.
 *
 *   bits 0–7 the symbol · bit 8 a symbol ends here · bits 9–16 the next state · bit 17 there is no such code, or it is EOS
 */
const SYMBOL = 0xff;
const EMITS = 0x100;
const STATE_SHIFT = 9;
const STATE_MASK = 0xff;
const BROKEN = 0x20000;

/** Inner nodes of a tree with 257 leaves. */
const STATES = 256;
/** Padding has at most seven bits, all of them ones (RFC 7541, 5.2). */
const MAX_PADDING_BITS = 7;

const STEPS = new Int32Array(STATES * 16);
/** Whether a string may end in this state: at the root, or on the way to EOS within the padding. */
const MAY_END = new Uint8Array(STATES);
build();

/** The longest text that so many octets may stand for. */
export const huffmanRoom = (octets: number): number => Math.ceil((octets * 8) / 5);

/** Decodes into `into`, which has room, from its start. The octets written, or -1 when the string breaks the rules. @hot */
export function huffmanDecode(from: Buffer, start: number, end: number, into: Buffer): number {
  let state = 0;
  let at = 0;
  for (let i = start; i < end; i++) {
    const octet = from[i]!;
    const high = STEPS[(state << 4) | (octet >> 4)]!;
    if ((high & EMITS) !== 0) into[at++] = high & SYMBOL;
    const low = STEPS[(((high >> STATE_SHIFT) & STATE_MASK) << 4) | (octet & 15)]!;
    if (((high | low) & BROKEN) !== 0) return -1;
    if ((low & EMITS) !== 0) into[at++] = low & SYMBOL;
    state = (low >> STATE_SHIFT) & STATE_MASK;
  }
  return MAY_END[state] === 1 ? at : -1;
}

/** A leaf is its symbol, an inner node the two that follow it. */
type Node = number | Inner;

interface Inner {
  readonly state: number;
  readonly next: [Node | null, Node | null];
}

function build(): void {
  const inners: Inner[] = [];
  const grow = (): Inner => {
    const inner: Inner = { state: inners.length, next: [null, null] };
    inners.push(inner);
    return inner;
  };
  const root = grow();
  for (let symbol = 0; symbol <= EOS; symbol++) {
    const { bits, code } = HUFFMAN_CODES[symbol]!;
    let node = root;
    for (let bit = bits - 1; bit > 0; bit--) {
      const turn = ((code >>> bit) & 1) as 0 | 1;
      node.next[turn] ??= grow();
      node = node.next[turn] as Inner;
    }
    node.next[(code & 1) as 0 | 1] = symbol;
  }
  for (const inner of inners) for (let half = 0; half < 16; half++) STEPS[(inner.state << 4) | half] = step(root, inner, half);
  let padding: Node = root;
  for (let bits = 0; bits <= MAX_PADDING_BITS; bits++) {
    MAY_END[(padding as Inner).state] = 1;
    padding = (padding as Inner).next[1]!;
  }
}

function step(root: Inner, from: Inner, half: number): number {
  let node = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next: Node | null = node.next[((half >> bit) & 1) as 0 | 1];
    // RFC 7541, 5.2: EOS within a string is an error.
    if (next === null || next === EOS) return BROKEN;
    if (typeof next === 'number') {
      emitted = EMITS | next;
      node = root;
    } else node = next;
  }
  return emitted | (node.state << STATE_SHIFT);
}
