import { MASK_31 } from './frames/frame-format.ts';

/** Flow control of RFC 9113, 5.2 and 6.9, for a stream as for a connection. Windows are plain numbers on whatever has them. */

/** A window of the other side after a WINDOW_UPDATE or a new SETTINGS_INITIAL_WINDOW_SIZE; NaN where it would be too large (6.9.1). @hot */
export function widened(window: number, increment: number): number {
  const sum = window + increment;
  return sum > MASK_31 ? Number.NaN : sum;
}

/** What the other side may send us, and when it may send more. */
export class ReceiveWindow {
  /** As wide as it is made again and again. */
  readonly size: number;
  /** What the other side may still send. */
  left: number;

  constructor(size: number) {
    this.size = size;
    this.left = size;
  }

  /** Something came. False where it was more than allowed: a FLOW_CONTROL_ERROR. @hot */
  take(bytes: number): boolean {
    this.left -= bytes;
    return this.left >= 0;
  }

  /** The increment that is due now, or 0: it comes when half the window is gone. Of what came, `heldBytes` are not used yet. @hot */
  due(heldBytes: number): number {
    const used = this.size - this.left - heldBytes;
    if (used * 2 < this.size) return 0;
    this.left += used;
    return used;
  }
}
