import { GrpcStatus } from '../../../core/grpc-status.ts';
import type { StreamSink } from '../../grpc/streamed-call.ts';
import { H2Error } from '../h2-error.ts';
import type { CallHead } from './call-heads.ts';
import { type CallHome, H2Call, tellCancelled } from './h2-call.ts';
import { UnreadMessages } from './unread-messages.ts';

/**
 * A call with one question and a stream of answers, each handed on when it is asked for. What is not asked for fills the stream's window,
 * and then stays with the server. A status other than OK comes at once, and what was not read by then is lost with it.
 */
export class StreamedH2Call extends H2Call {
  readonly #sink: StreamSink;
  readonly #unread = new UnreadMessages();
  /** How many have been asked for and did not come; the first is asked for from the beginning. */
  #asked = 1;
  /** The status is OK, and waits behind what is unread. */
  #finished = false;
  #handing = false;

  constructor(home: CallHome, head: CallHead, pieces: readonly Uint8Array[], deadlineMs: number, sink: StreamSink) {
    super(home, head, pieces, deadlineMs);
    this.#sink = sink;
  }

  read(): void {
    if (this.over && !this.#finished) return;
    this.#asked++;
    if (this.#unread.isEmpty) {
      this.widen();
      return;
    }
    // Its caller is in the middle of something, mostly of the message before.
    if (this.#handing) return;
    this.#handing = true;
    process.nextTick(handOn, this);
  }

  override cancel(): void {
    if (this.over && !this.#finished) return;
    this.#unread.clear();
    if (!this.#finished) {
      super.cancel();
      return;
    }
    this.#finished = false;
    process.nextTick(tellCancelled, this, true);
  }

  /** Hands on what was asked for and is here. */
  hand(): void {
    this.#handing = false;
    while (this.#asked > 0 && !this.#unread.isEmpty) {
      this.#asked--;
      this.#sink.onMessage(this.#unread.take());
    }
    if (this.#finished && this.#unread.isEmpty) this.#end();
    else this.widen();
  }

  protected take(message: Buffer): void {
    if (this.#asked > 0 && this.#unread.isEmpty) {
      this.#asked--;
      this.#sink.onMessage(message);
      return;
    }
    this.#unread.add(message);
  }

  protected finish(): void {
    this.leave(H2Error.Cancel);
    this.#finished = true;
    if (this.#unread.isEmpty) this.#end();
  }

  protected tell(status: number, details: string, sent: boolean, pushbackMs: number): void {
    this.#unread.clear();
    this.#sink.onEnd(status, details, sent, pushbackMs);
  }

  protected heldBytes(): number {
    // A message that is waited for may be larger than the window.
    return this.#asked > 0 && this.#unread.isEmpty ? 0 : this.#unread.bytes + this.reader.haveBytes;
  }

  #end(): void {
    this.#finished = false;
    this.#sink.onEnd(GrpcStatus.Ok, '', true, 0);
  }
}

function handOn(call: StreamedH2Call): void {
  call.hand();
}
