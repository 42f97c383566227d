import type { OnnxBackendConfig } from '../../config/model-schema.ts';
import type { Backend, Call, CallOptions, CallSink } from '../../core/backend.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault, type FaultKind, GatewayError } from '../../core/faults.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import { isBatchable, type Signature } from '../../core/signature.ts';
import { NO_EXPLAIN } from '../no-explain.ts';
import type { HostedSession } from './hosted-session.ts';
import { Lane } from './lane.ts';
import { type CallInput, type CallOwner, OnnxCall } from './onnx-call.ts';
import type { OnnxHost } from './onnx-host.ts';
import { RequestFit } from './request-fit.ts';
import { withinMs } from './within-ms.ts';

export interface OnnxBackendOptions {
  readonly model: string;
  readonly variant: string;
  /** The ONNX file, resolved. */
  readonly path: string;
  readonly host: OnnxHost;
  readonly clock: Clock;
  /** One run has ended: how many rows it had. */
  readonly onBatch: (rows: number) => void;
}

/** What takes calls once the model is loaded. */
interface Serving {
  readonly session: HostedSession;
  readonly lane: Lane;
  readonly fit: RequestFit;
}

const CLOSE_TIMEOUT_MS = 5_000;
const CLOSED = 'the backend was closed';
const NOTHING: CallInput = { inputs: [], wanted: [], key: null, rows: 1 };
const NOBODY: CallOwner = { drop: () => {}, left: () => {} };

/** A model in this process: an ONNX file, run by the threads of the host. */
export class OnnxBackend implements Backend {
  readonly kind = 'onnx';
  readonly target: string;
  readonly #config: OnnxBackendConfig;
  readonly #options: OnnxBackendOptions;
  #warming: Promise<Signature> | null = null;
  #serving: Serving | null = null;
  #closed = false;
  /** Why nothing is served while `#serving` is null. */
  #idle = 'the model is not loaded yet';

  constructor(config: OnnxBackendConfig, options: OnnxBackendOptions) {
    this.#config = config;
    this.#options = options;
    this.target = options.path;
  }

  /** The execution providers that run the model; more than one when threads differ, none before it is loaded. */
  get executionProviders(): readonly string[] {
    return this.#serving?.session.providers ?? [];
  }

  /** Execution providers that were preferred and could not be taken, each with the reason. */
  get skippedProviders(): readonly string[] {
    return this.#serving?.session.skipped ?? [];
  }

  warm(): Promise<Signature> {
    this.#warming ??= this.#load();
    return this.#warming;
  }

  /** @hot */
  open(request: InferenceRequest, options: CallOptions, sink: CallSink): Call {
    const { clock, host } = this.#options;
    const times = { deadlineMs: clock.nowMs() + options.timeoutMs, openedUs: clock.nowUs() };
    if (request.task === 'explain') return this.#refuse(sink, times, Fault.NotSupported, NO_EXPLAIN);
    const serving = this.#serving;
    if (serving === null) return this.#refuse(sink, times, Fault.BackendUnreachable, this.#idle);
    if (serving.lane.trouble !== '') return this.#refuse(sink, times, Fault.BackendUnreachable, serving.lane.trouble);
    const input = serving.fit.read(request);
    if (typeof input === 'string') return this.#refuse(sink, times, Fault.BadRequest, input);
    const call = new OnnxCall(input, times, sink, serving.lane);
    host.submit(serving.lane, call);
    return call;
  }

  probe(): Promise<boolean> {
    const serving = this.#serving;
    return Promise.resolve(serving !== null && this.#options.host.isServing(serving.session));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const serving = this.#serving;
    this.#serving = null;
    this.#idle = CLOSED;
    if (serving !== null) await this.#options.host.unload(serving.session);
    // A load that is under way ends by itself, and frees what it has loaded.
    else if (this.#warming !== null) await withinMs(Promise.allSettled([this.#warming]), CLOSE_TIMEOUT_MS);
  }

  async #load(): Promise<Signature> {
    const { host, path, clock, onBatch } = this.#options;
    const { sha256, executionProviders, fallback, batching, maxQueueRows } = this.#config;
    try {
      if (this.#closed) throw new GatewayError(Fault.BackendFailed, `The model cannot load: ${CLOSED}.`);
      const session = await host.load({ path, sha256, providers: executionProviders, fallback });
      const signature = session.signature;
      const refusal = this.#closed ? CLOSED : batching === null || isBatchable(signature) ? '' : this.#notBatchable(signature);
      if (refusal !== '') {
        await host.unload(session);
        throw new GatewayError(Fault.BackendFailed, refusal);
      }
      const lane = new Lane({ session: session.spec.session, signature, batching, maxQueueRows, clock, onBatch });
      host.serve(session, lane);
      this.#serving = { session, lane, fit: new RequestFit(signature, batching !== null) };
      return signature;
    } catch (error) {
      // The next call of `warm` tries again.
      this.#warming = null;
      throw error;
    }
  }

  #notBatchable(signature: Signature): string {
    const where = `Model "${this.#options.model}", variant "${this.#options.variant}": "batching" is set, but`;
    const advice = 'Export the model with a free dimension 0, or take "batching" out of the config.';
    if (signature.inputs.length === 0) return `${where} the model has no inputs, so there are no rows to share a run. ${advice}`;
    for (const spec of [...signature.inputs, ...signature.outputs]) {
      if (spec.shape[0] === -1) continue;
      const side = signature.inputs.includes(spec) ? 'input' : 'output';
      const found = spec.shape.length === 0 ? 'is a scalar' : `has the shape [${spec.shape}], whose dimension 0 is fixed`;
      return `${where} ${side} "${spec.name}" ${found}, so rows of several requests cannot share a run. ${advice}`;
    }
    return `${where} its rows cannot share a run. ${advice}`;
  }

  #refuse(sink: CallSink, times: { deadlineMs: number; openedUs: number }, kind: FaultKind, detail: string): Call {
    const call = new OnnxCall(NOTHING, times, sink, NOBODY);
    this.#options.host.refuse(call, kind, detail);
    return call;
  }
}
