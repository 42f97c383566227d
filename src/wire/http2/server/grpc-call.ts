import type { HeadNotes } from '../../../core/exchange.ts';
import { GrpcStatus } from '../../../core/grpc-status.ts';
import { blankEndText } from '../../grpc/blank-ends.ts';
import { MessageReader } from '../message-reader.ts';
import type { RequestHead } from './request-head.ts';
import { ServerStream, type StreamHome, type StreamPlace } from './server-stream.ts';
import { type UnpackSink, unpack } from './unpacking.ts';

/** Messages from this size on are views on what the socket has read: smaller ones would keep much of it for little. */
const VIEWED_BYTES = 4_096;

/** What calls with one message and calls with many have in common: metadata, and messages cut from bytes and unpacked. */
export abstract class GrpcCall extends ServerStream implements UnpackSink {
  readonly path: string;
  readonly timeoutMs: number;
  readonly endsWithData = false;
  /** It is over when it is answered; AnsweredStream stays behind. */
  readonly isAnswered = false;
  /** The answer has its end, or will have none: nothing more is taken from either side. */
  protected ended = false;
  protected readonly reader: MessageReader;
  readonly #head: RequestHead;
  #unpacking = false;
  /** What came while a message was being unpacked. */
  #behind: Buffer[] = [];
  #behindBytes = 0;

  constructor(home: StreamHome, place: StreamPlace, head: RequestHead) {
    super(home, place, head.contentLength);
    this.path = head.path;
    this.timeoutMs = Math.max(0, head.timeoutMs);
    this.#head = head;
    this.reader = new MessageReader(home.maxMessageBytes, VIEWED_BYTES, true);
  }

  get remoteAddress(): string {
    return this.home.remoteAddress;
  }

  get notes(): HeadNotes {
    return this.#head.notes;
  }

  header(name: string): string {
    return this.#head.value(name);
  }

  /** Makes the call, which has its owner now, fail where its metadata is no good. */
  check(): void {
    const { timeoutMs, blankEnded } = this.#head;
    if (this.ended) return;
    if (timeoutMs < 0) this.spoil(GrpcStatus.Internal, 'The grpc-timeout is none: expected digits and a unit.');
    else if (blankEnded !== '') this.spoil(GrpcStatus.InvalidArgument, blankEndText(blankEnded));
  }

  onUnpacked(message: Buffer): void {
    this.#unpacking = false;
    if (this.over || this.ended) return;
    this.take(message);
    this.#goOn();
    this.makeRoom();
  }

  onSpoiled(status: number, text: string): void {
    this.#unpacking = false;
    if (!this.over && !this.ended) this.spoil(status, text);
  }

  /** A whole message. */
  protected abstract take(message: Buffer): void;
  /** Nothing follows the messages that were taken. */
  protected abstract takeLast(): void;
  /** Ends the call with a status of our own, and tells the owner why. */
  protected abstract spoil(status: number, text: string): void;

  protected takeBytes(chunk: Buffer, from: number, to: number): void {
    if (this.ended) return;
    if (this.#unpacking) {
      this.#behind.push(chunk.subarray(from, to));
      this.#behindBytes += to - from;
      return;
    }
    const { reader } = this;
    let at = from;
    while (at < to && !this.ended) {
      at = reader.read(chunk, at, to);
      const { message } = reader;
      if (message !== null) {
        reader.message = null;
        if (!reader.isCompressed) this.take(message);
        else if (this.#unpack(message) && at < to) {
          this.takeBytes(chunk, at, to);
          return;
        }
      } else if (reader.refusal !== '') this.#refuse();
    }
  }

  protected takeEnd(): void {
    if (this.ended || this.#unpacking) return;
    // Bytes of the next message that nobody will complete.
    if (this.reader.haveBytes > 0) this.spoil(GrpcStatus.Internal, 'The call ended within a message.');
    else this.takeLast();
  }

  protected get isUnpacking(): boolean {
    return this.#unpacking;
  }

  protected get behindBytes(): number {
    return this.#behindBytes;
  }

  #goOn(): void {
    const behind = this.#behind;
    this.#behind = [];
    this.#behindBytes = 0;
    for (const piece of behind) this.takeBytes(piece, 0, piece.length);
    if (this.clientDone) this.takeEnd();
  }

  #unpack(message: Buffer): boolean {
    const { encoding } = this.#head;
    if (encoding === '' || encoding === 'identity') {
      this.spoil(GrpcStatus.Internal, 'A message says that it is compressed, and the call names no encoding.');
      return false;
    }
    this.#unpacking = unpack(encoding, message, this.home.maxMessageBytes, this);
    if (!this.#unpacking)
      this.spoil(GrpcStatus.Unimplemented, 'The grpc-encoding is not known: expected gzip, deflate or identity.');
    return this.#unpacking;
  }

  #refuse(): void {
    const { reader, home } = this;
    if (reader.refusal === 'size') {
      this.spoil(GrpcStatus.ResourceExhausted, `Received message larger than max (${reader.size} vs ${home.maxMessageBytes})`);
    } else this.spoil(GrpcStatus.Internal, 'A message begins with an unknown flag: expected 0 or 1.');
  }
}
