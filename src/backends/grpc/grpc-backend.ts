import type { GrpcBackendConfig } from '../../config/model-schema.ts';
import type { Backend, Call, CallOptions, CallSink } from '../../core/backend.ts';
import type { Clock } from '../../core/clock.ts';
import { type EndpointAddress, endpointLabel } from '../../core/endpoints.ts';
import { Fault, GatewayError } from '../../core/faults.ts';
import { GrpcStatus, grpcStatusName } from '../../core/grpc-status.ts';
import type { InferenceRequest } from '../../core/inference.ts';
import { Roster, type Rostered } from '../../core/roster.ts';
import type { Signature } from '../../core/signature.ts';
import type { GrpcChannel, GrpcChannelTls } from '../../wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../../wire/grpc/open-channel.ts';
import { inferRequestPieces } from '../../wire/oip/infer-request.ts';
import { decodeDecoupled } from '../../wire/oip/model-config.ts';
import { decodeModelMetadata, decodeReady, encodeModelNameRequest } from '../../wire/oip/server-messages.ts';
import { withNamedOutputs } from '../named-outputs.ts';
import { NO_EXPLAIN } from '../no-explain.ts';
import { type Answer, ask } from './ask.ts';
import { DecoupledCall } from './decoupled-call.ts';
import { type CallOwner, GrpcCall } from './grpc-call.ts';
import { quotedText } from './status-fault.ts';

export interface GrpcBackendOptions {
  /** The one of config's endpoints that this is. */
  readonly endpoint: EndpointAddress;
  /** Public name of the model, used there too unless config names another. */
  readonly model: string;
  /** Sent as a bearer token; null sends none. */
  readonly credential: string | null;
  /** What config's files hold; null is plaintext. */
  readonly tls: GrpcChannelTls | null;
  readonly clock: Clock;
}

/** A model on one server that speaks the Open Inference Protocol over gRPC. */
export class GrpcBackend implements Backend, CallOwner {
  readonly kind = 'grpc';
  readonly target: string;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly #model: string;
  readonly #version: string;
  readonly #connectTimeoutMs: number;
  readonly #channel: GrpcChannel;
  readonly #ownHeaders: readonly string[];
  readonly #calls = new Roster<Call & Rostered>();
  /** The model answers as often as it likes, and only over a stream. Known once it is warm. */
  #decoupled = false;
  /** Names of all outputs, where every answer has all of them; empty until the server has told them. */
  #outputs: readonly string[] = [];
  #closing: Promise<void> | null = null;
  #allEnded: (() => void) | null = null;

  constructor(config: GrpcBackendConfig, options: GrpcBackendOptions) {
    this.target = endpointLabel(options.endpoint);
    this.clock = options.clock;
    this.maxMessageBytes = config.maxMessageBytes;
    this.#model = config.model ?? options.model;
    this.#version = config.version;
    this.#connectTimeoutMs = config.connectTimeoutMs;
    this.#ownHeaders = options.credential === null ? [] : ['authorization', `Bearer ${options.credential}`];
    this.#channel = openGrpcChannel(config.engine, {
      address: options.endpoint.name,
      ip: options.endpoint.ip,
      tls: options.tls,
      maxMessageBytes: config.maxMessageBytes,
      connectTimeoutMs: config.connectTimeoutMs,
      http2: config.http2,
    });
  }

  open(request: InferenceRequest, options: CallOptions, sink: CallSink): Call {
    if (request.task === 'explain') return this.#refuse(sink);
    const question = inferRequestPieces(withNamedOutputs(request, this.#outputs), this.#model, this.#version);
    const calling = { headers: this.#headers(options), timeoutMs: options.timeoutMs };
    if (this.#decoupled) {
      const call = new DecoupledCall(this, sink);
      this.#calls.add(call);
      // Each request has a stream of its own, so that its errors may come as statuses that can be told apart.
      calling.headers.push('triton_grpc_error', 'true');
      call.begin(this.#channel.streamed(MODEL_STREAM_INFER, question, calling, call));
      return call;
    }
    const call = new GrpcCall(this, sink);
    this.#calls.add(call);
    call.begin(this.#channel.unary(MODEL_INFER, question, calling, call));
    return call;
  }

  async warm(): Promise<Signature> {
    const connected = await this.#channel.ready(this.#connectTimeoutMs);
    // Where no connection stands the question still tells why: it fails at once with the reason of the last try.
    const timeoutMs = connected ? METADATA_TIMEOUT_MS : this.#connectTimeoutMs;
    const answer = await this.#ask(MODEL_METADATA, timeoutMs);
    if (answer.message === null) throw this.#unanswered(answer);
    const metadata = decodeModelMetadata(answer.message);
    if (typeof metadata === 'string') {
      throw new GatewayError(Fault.BackendLied, `Metadata of model "${this.#model}" at ${this.target}: ${quotedText(metadata)}`);
    }
    this.#decoupled = await this.#asksDecoupled();
    const { platform, inputs, outputs } = metadata;
    this.#outputs = this.#decoupled ? [] : outputs.map(({ name }) => name);
    return { platform, inputs, outputs, decoupled: this.#decoupled };
  }

  /** Only a server with Triton's model configuration says so; of one without it a model has one answer. */
  async #asksDecoupled(): Promise<boolean> {
    const answer = await this.#ask(MODEL_CONFIG, METADATA_TIMEOUT_MS);
    if (answer.message !== null) return decodeDecoupled(answer.message);
    const lost = grpcStatusName(GrpcStatus.Unavailable) === answer.statusName;
    const late = grpcStatusName(GrpcStatus.DeadlineExceeded) === answer.statusName;
    if (lost || late) throw this.#unanswered(answer);
    return false;
  }

  async probe(timeoutMs: number): Promise<boolean> {
    const answer = await this.#ask(MODEL_READY, timeoutMs);
    return answer.message !== null && decodeReady(answer.message) === true;
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  ended(call: Call & Rostered): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#allEnded?.();
  }

  #refuse(sink: CallSink): Call {
    const call = new GrpcCall(this, sink);
    this.#calls.add(call);
    call.refuse(Fault.NotSupported, NO_EXPLAIN);
    return call;
  }

  #shut(): Promise<void> {
    return new Promise((resolve) => {
      this.#allEnded = resolve;
      for (const call of this.#calls.all()) call.cancel();
      this.#channel.close();
      if (this.#calls.size === 0) resolve();
    });
  }

  #headers(options: CallOptions): string[] {
    const headers = ['x-request-id', options.requestId];
    for (let i = 0; i < this.#ownHeaders.length; i++) headers.push(this.#ownHeaders[i]!);
    if (options.traceparent !== '') headers.push('traceparent', options.traceparent);
    if (options.tracestate !== '') headers.push('tracestate', options.tracestate);
    return headers;
  }

  #ask(path: string, timeoutMs: number): Promise<Answer> {
    const question = encodeModelNameRequest(this.#model, this.#version);
    return ask(this.#channel, path, question, { headers: this.#ownHeaders, timeoutMs });
  }

  #unanswered(answer: Answer): GatewayError {
    const reached = answer.sent ? 'answered' : 'cannot be reached:';
    const kind = answer.sent ? Fault.BackendFailed : Fault.BackendUnreachable;
    return new GatewayError(
      kind,
      `The server at ${this.target} ${reached} ${answer.statusName} (${quotedText(answer.details)}) when asked for model ` +
        `"${this.#model}". Check backend.endpoints, and that the model is loaded there.`,
    );
  }
}

const MODEL_CONFIG = '/inference.GRPCInferenceService/ModelConfig';
const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';
const MODEL_STREAM_INFER = '/inference.GRPCInferenceService/ModelStreamInfer';
const MODEL_METADATA = '/inference.GRPCInferenceService/ModelMetadata';
const MODEL_READY = '/inference.GRPCInferenceService/ModelReady';

/** A server that has a connection but not this answer for so long is not ready to serve. */
const METADATA_TIMEOUT_MS = 5_000;
