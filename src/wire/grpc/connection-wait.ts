import { type ChannelInterface, connectivityState } from '@grpc/grpc-js';

/**
 * How long one call waits for a connection. While one is being made the package lets calls wait for as long as their deadline; with this
 * one they wait less.
 */
export class ConnectionWait {
  readonly #channel: ChannelInterface;
  readonly #waits: boolean;
  #timer: NodeJS.Timeout | null = null;
  /** Milliseconds after which it was given up; 0 when it was not. */
  gaveUpMs = 0;

  constructor(channel: ChannelInterface) {
    this.#channel = channel;
    this.#waits = channel.getConnectivityState(true) !== connectivityState.READY;
  }

  /** Calls wait in the connecting state and in no other. */
  begin(connectTimeoutMs: number, cancel: () => void): void {
    if (!this.#waits) return;
    this.#timer = setTimeout(() => {
      if (this.#channel.getConnectivityState(false) !== connectivityState.CONNECTING) return;
      this.gaveUpMs = connectTimeoutMs;
      cancel();
    }, connectTimeoutMs);
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Whether the call had been given to a connection, so that the server may know of it. */
  get wasSent(): boolean {
    return !this.#waits || this.#channel.getConnectivityState(false) === connectivityState.READY;
  }
}
