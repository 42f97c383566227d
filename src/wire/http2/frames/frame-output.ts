import { putBytes } from '../../../core/put-bytes.ts';
import { giveSlab, takeSlab } from './slab-pool.ts';

/** What a socket offers to those who write to it. */
export interface Outlet {
  write(bytes: Uint8Array): boolean;
  cork(): void;
  uncork(): void;
  /** Bytes that it has not got rid of. */
  readonly writableLength: number;
  readonly destroyed: boolean;
}

export interface OutputOwner {
  /** The last moment to add frames before those of this turn leave. */
  onFlush(): void;
}

/** Pieces up to this size are copied next to their frame head: a vector of small pieces costs the system more than the copy. */
const COPIED_BYTES = 4_096;

const NO_SLAB = Buffer.alloc(0);

/**
 * Gathers the frames that one turn of the event loop brings and hands them to the socket at once. Heads and small payloads are written
 * into a slab; large payloads are passed by reference between its parts.
 */
export class FrameOutput {
  /** Where frames are written; valid from `reserve` to the next call of anything here. */
  slab: Buffer = NO_SLAB;
  /** Bytes that wait for this turn to end. */
  gatheredBytes = 0;
  readonly #outlet: Outlet;
  readonly #owner: OutputOwner;
  #at = 0;
  /** Where the part of the slab begins that is in no piece yet. */
  #from = 0;
  readonly #pieces: Uint8Array[] = [];
  /** The slabs of this turn. */
  readonly #slabs: Buffer[] = [];
  #scheduled = false;

  constructor(outlet: Outlet, owner: OutputOwner) {
    this.#outlet = outlet;
    this.#owner = owner;
  }

  /** Everything that the socket has not taken yet. */
  get pendingBytes(): number {
    return this.gatheredBytes + this.#outlet.writableLength;
  }

  /** Where in `slab` so many bytes may be written, at most SLAB_BYTES. What is written counts once `commit` has heard of it. @hot */
  reserve(bytes: number): number {
    if (this.#at + bytes > this.slab.length) this.#change();
    return this.#at;
  }

  /** @hot */
  commit(bytes: number): void {
    this.#at += bytes;
    this.gatheredBytes += bytes;
    this.schedule();
  }

  /** Adds bytes that stay as they are until the socket has them; they are not copied when they are many. @hot */
  add(bytes: Uint8Array): void {
    const size = bytes.length;
    if (size > COPIED_BYTES) {
      this.#seal();
      this.#pieces.push(bytes);
      this.gatheredBytes += size;
      this.schedule();
      return;
    }
    const at = this.reserve(size);
    putBytes(this.slab, at, bytes);
    this.commit(size);
  }

  /** Has the owner asked, and everything written, when this turn ends. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(flush, this);
  }

  /** Hands everything over now. */
  flush(): void {
    if (!this.#outlet.destroyed) {
      // What the owner adds here leaves here, and asks for no other turn.
      this.#scheduled = true;
      this.#owner.onFlush();
      this.#seal();
      this.#write();
    }
    this.#release();
    this.#scheduled = false;
  }

  #write(): void {
    const outlet = this.#outlet;
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    if (pieces.length === 1) {
      outlet.write(pieces[0]!);
      return;
    }
    outlet.cork();
    for (let i = 0; i < pieces.length; i++) outlet.write(pieces[i]!);
    outlet.uncork();
  }

  /** A socket that has taken all has copied it, and the slabs are free; one that has not still reads from them. */
  #release(): void {
    const taken = this.#outlet.writableLength === 0;
    for (let i = 0; taken && i < this.#slabs.length; i++) giveSlab(this.#slabs[i]!);
    this.#slabs.length = 0;
    this.slab = NO_SLAB;
    this.#at = 0;
    this.#from = 0;
    this.#pieces.length = 0;
    this.gatheredBytes = 0;
  }

  #change(): void {
    this.#seal();
    this.slab = takeSlab();
    this.#slabs.push(this.slab);
    this.#at = 0;
    this.#from = 0;
  }

  #seal(): void {
    if (this.#at === this.#from) return;
    this.#pieces.push(this.slab.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

function flush(output: FrameOutput): void {
  output.flush();
}
