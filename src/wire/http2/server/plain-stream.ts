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
  isAnswered = false;

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
    this.isAnswered = true;
    if (this.clientDone) this.home.forget(this);
  }

  onLost(): void {
    this.pieces = NOTHING;
  }

  settle(): void {}

  protected takeBytes(): void {}

  protected takeEnd(): void {
    if (this.isAnswered) this.home.forget(this);
  }

  protected heldBytes(): number {
    // Nothing is ever given back, so the client cannot send more than one window.
    return Number.MAX_SAFE_INTEGER;
  }
}
