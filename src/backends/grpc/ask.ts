import { GrpcStatus, grpcStatusName } from '../../core/grpc-status.ts';
import type { CallOptions, GrpcChannel } from '../../wire/grpc/grpc-channel.ts';
import type { UnarySink } from '../../wire/grpc/waiting-call.ts';

/** How a question ended. `message` is null unless the status was OK. */
export interface Answer {
  readonly message: Buffer | null;
  readonly statusName: string;
  readonly details: string;
  /** Whether the server may have heard the question. */
  readonly sent: boolean;
}

/** A unary call as a promise, for the few that start-up and probes make. Never rejects. */
export function ask(channel: GrpcChannel, path: string, question: Buffer, options: CallOptions): Promise<Answer> {
  return new Promise((resolve) => channel.unary(path, question, options, new Asked(resolve)));
}

class Asked implements UnarySink {
  readonly #resolve: (answer: Answer) => void;

  constructor(resolve: (answer: Answer) => void) {
    this.#resolve = resolve;
  }

  onAnswer(message: Buffer): void {
    this.#resolve({ message, statusName: grpcStatusName(GrpcStatus.Ok), details: '', sent: true });
  }

  onStatus(status: number, details: string, sent: boolean): void {
    this.#resolve({ message: null, statusName: grpcStatusName(status), details, sent });
  }
}
