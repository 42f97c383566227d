import type { Backend, BackendKind, Call, CallOptions, CallSink } from '../core/backend.ts';
import type { InferenceRequest } from '../core/inference.ts';
import type { Signature } from '../core/signature.ts';

/** A backend that may be warmed again after it was closed: each time it is another one, made from the same config. */
export class ReopeningBackend implements Backend {
  readonly kind: BackendKind;
  readonly target: string;
  readonly #make: () => Backend;
  #current: Backend;
  #closed = false;

  constructor(make: () => Backend) {
    this.#make = make;
    this.#current = make();
    this.kind = this.#current.kind;
    this.target = this.#current.target;
  }

  /** @hot A closed backend refuses by itself. */
  open(request: InferenceRequest, options: CallOptions, sink: CallSink): Call {
    return this.#current.open(request, options, sink);
  }

  warm(): Promise<Signature> {
    if (this.#closed) {
      this.#closed = false;
      this.#current = this.#make();
    }
    return this.#current.warm();
  }

  probe(timeoutMs: number): Promise<boolean> {
    return this.#closed ? Promise.resolve(false) : this.#current.probe(timeoutMs);
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#current.close();
  }
}
