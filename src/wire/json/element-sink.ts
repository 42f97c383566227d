import type { Datatype } from '../../core/datatype.ts';
import type { JsonCursor } from './cursor.ts';
import { kindOf } from './skip.ts';

/** Takes the elements of one tensor from JSON, one after another, into the bytes of its datatype. */
export abstract class ElementSink {
  readonly datatype: Datatype;
  /** What an element should be, for messages. */
  readonly wanted: string;

  constructor(datatype: Datatype, wanted: string) {
    this.datatype = datatype;
    this.wanted = wanted;
  }

  /** All elements, little-endian. */
  abstract bytes(): Uint8Array;

  /** Reads the element at the cursor, of which `byte` is the first. False on a fault. */
  protected abstract put(cursor: JsonCursor, byte: number, index: number): boolean;

  /**
   * @hot Reads the rest of the open array as elements from `from` on. Returns how many there were; -1 on a fault, and one more than
   * `room` as soon as there are too many.
   */
  run(cursor: JsonCursor, from: number, room: number): number {
    let taken = 0;
    while (cursor.nextElement()) {
      if (taken === room) return taken + 1;
      if (!this.put(cursor, cursor.peek(), from + taken)) return -1;
      taken++;
    }
    return cursor.fault === '' ? taken : -1;
  }

  /** Reads the bare value at the cursor as element `index`. False on a fault. */
  one(cursor: JsonCursor, index: number): boolean {
    return this.put(cursor, cursor.peek(), index);
  }

  protected wrongKind(cursor: JsonCursor, byte: number, index: number): boolean {
    const at = cursor.at;
    return cursor.fail(`value ${index} is ${kindOf(byte)}, expected ${this.wanted} for ${this.datatype}`, at);
  }

  protected outOfRange(cursor: JsonCursor, index: number): boolean {
    return cursor.fail(`value ${index} does not fit ${this.datatype}`, cursor.number.from);
  }
}
