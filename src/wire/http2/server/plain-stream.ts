import { encodeFields } from '../hpack/encoder.ts';
import { NOTHING, ServerStream } from './server-stream.ts';

/** An answer for those who speak HTTP/2 and not gRPC. */
export interface PlainAnswer {
  readonly head: Buffer;
  readonly body: Buffer;
}

const plainAnswer = (status: string, text: string): PlainAnswer => ({
  head: encodeFields([':status', status, 'content-type', 'text/plain', 'content-length', String(text.length)]),
  body: Buffer.from(text, 'latin1'),
});

export const NOT_GRPC = plainAnswer('415', 'This port speaks gRPC: expected content-type application/grpc.\n');
export const NOT_POST = plainAnswer('405', 'This port speaks gRPC: expected method POST.\n');

/** A request that is not gRPC. What it sends is thrown away, up to the window that it has. */
export class PlainStream extends ServerStream {
  readonly endsWithData = true;
  #answered = false;
  #seen = false;

  answer({ head, body }: PlainAnswer, withBody: boolean): void {
    this.home.answers.openPlain(this.streamId, head, !withBody);
    if (!withBody) {
      this.onMessageSent();
      return;
    }
    this.pieces = [body];
    this.messageBytes = body.length;
    this.unsentBytes = body.length;
    this.home.send(this);
  }

  onMessageSent(): void {
    this.#answered = true;
    if (this.clientDone) this.home.finish(this);
  }

  onLost(): void {
    this.pieces = NOTHING;
  }

  settle(): void {}

  /** Looked at once in a while: whoever has his answer and does not end his request is reset at the second look. */
  outstayed(): boolean {
    const seen = this.#seen;
    this.#seen = this.#answered;
    return seen;
  }

  protected takeBytes(): void {}

  protected takeEnd(): void {
    if (this.#answered) this.home.finish(this);
  }

  protected heldBytes(): number {
    // Nothing is ever given back, so the client cannot send more than one window.
    return Number.MAX_SAFE_INTEGER;
  }
}
