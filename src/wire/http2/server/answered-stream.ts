import { H2Error } from '../h2-error.ts';
import { ServerStream, type StreamHome, type StreamPlace } from './server-stream.ts';

/**
 * A stream whose answer is written while its client has not ended its side. What still comes is thrown away. It is reset a moment later, with
 * NO_ERROR (RFC 9113, 8.1): clients that read the reset together with the answer, as grpc-js does, forget the answer over it.
 */
export class AnsweredStream extends ServerStream {
  readonly endsWithData = false;
  readonly isAnswered = true;

  /** `place` has what is left of the stream's window. */
  constructor(home: StreamHome, place: StreamPlace) {
    super(home, place, -1);
  }

  onMessageSent(): void {}

  onLost(): void {}

  settle(): void {}

  /** Nothing is given back, so a client that goes on does not get far; at half the way it is asked to stop. */
  protected takeBytes(): void {
    if (this.window.left * 2 < this.window.size) this.home.reset(this, H2Error.None);
  }

  protected takeEnd(): void {
    this.home.forget(this);
  }

  protected heldBytes(): number {
    return Number.MAX_SAFE_INTEGER;
  }
}
