import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib';
import type { Pending } from '../../core/backend.ts';
import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import { Verdict } from '../../core/verdict.ts';

/** What the unpacking of bodies may take. */
export interface InflateLimits {
  readonly maxBodyBytes: number;
  /** How many times its size a body may unpack to. */
  readonly maxInflateRatio: number;
  /** Makes the request hold so many bytes of the process's budget in all; Refuse, with the reason noted, where there is no room. */
  readonly holdBytes: (ctx: RequestContext, bytes: number) => Verdict;
}

/** How long a body may be when unpacked, and what is said of one that is longer. */
export interface UnpackedBound {
  readonly bytes: number;
  readonly hint: string;
}

const CHUNK_BYTES = 65_536;
/** What unpacks to no more is no bomb: a small image of zeros is a hundredth of itself when packed. */
const FREE_BYTES = 65_536;
/** The window and the tables of the unpacker (40 KiB) and its chunk, counted so that many small bodies at once have a bound as well. */
const ENGINE_BYTES = 131_072;

/**
 * The unpacking of one body, on the thread pool. It stops at the first byte that is over a limit, and each chunk is taken from the
 * process's budget before the next one is made. As the `call` of its request it can be cancelled.
 */
export class Inflation implements Pending {
  readonly #ctx: RequestContext;
  readonly #limits: InflateLimits;
  readonly #bound: UnpackedBound;
  readonly #engine: Gunzip | Inflate;
  readonly #coding: string;
  readonly #packedBytes: number;
  readonly #chunks: Buffer[] = [];
  readonly #settled = Promise.withResolvers<readonly Uint8Array[] | null>();
  #size = 0;

  constructor(ctx: RequestContext, coding: 'gzip' | 'deflate', limits: InflateLimits, bound: UnpackedBound) {
    const options = { chunkSize: CHUNK_BYTES, rejectGarbageAfterEnd: true };
    this.#ctx = ctx;
    this.#limits = limits;
    this.#bound = bound;
    this.#coding = coding;
    this.#engine = coding === 'gzip' ? createGunzip(options) : createInflate(options);
    let packedBytes = 0;
    for (let i = 0; i < ctx.body.length; i++) packedBytes += ctx.body[i]!.length;
    this.#packedBytes = packedBytes;
  }

  /** The unpacked body in pieces; null when it was refused or cancelled. */
  run(): Promise<readonly Uint8Array[] | null> {
    if (!this.#hold()) return Promise.resolve(null);
    this.#ctx.call = this;
    const engine = this.#engine;
    engine.on('data', (chunk: Buffer) => this.#take(chunk));
    engine.on('end', () => this.#end(this.#chunks));
    engine.on('error', (error) => this.#spoil(error));
    for (let i = 0; i < this.#ctx.body.length; i++) engine.write(this.#ctx.body[i]!);
    engine.end();
    return this.#settled.promise;
  }

  /** The request is refused already, by whoever cancels. */
  cancel(): void {
    this.#engine.destroy();
    this.#settled.resolve(null);
  }

  #take(chunk: Buffer): void {
    this.#size += chunk.length;
    this.#chunks.push(chunk);
    if (!this.#fits() || !this.#hold()) this.#stop();
  }

  #fits(): boolean {
    const { maxInflateRatio } = this.#limits;
    if (this.#size > this.#bound.bytes) {
      this.#ctx.refuse(Fault.BodyTooLarge, this.#bound.hint);
      return false;
    }
    if (this.#size <= FREE_BYTES || this.#size <= this.#packedBytes * maxInflateRatio) return true;
    this.#ctx.refuse(
      Fault.BodyTooLarge,
      `Its ${this.#packedBytes} bytes unpack to more than ${maxInflateRatio} times as many; send it without a Content-Encoding.`,
    );
    return false;
  }

  #hold(): boolean {
    return this.#limits.holdBytes(this.#ctx, this.#packedBytes + this.#size + ENGINE_BYTES) === Verdict.Next;
  }

  #spoil(error: Error): void {
    this.#ctx.refuse(Fault.Malformed, `The body is not what Content-Encoding: ${this.#coding} says: ${error.message}.`);
    this.#stop();
  }

  #stop(): void {
    this.#engine.destroy();
    this.#end(null);
  }

  #end(chunks: readonly Uint8Array[] | null): void {
    this.#ctx.call = null;
    this.#settled.resolve(chunks);
  }
}
