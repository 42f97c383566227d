import type { Codec, Head, Match } from '../../core/exchange.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import type { Offload } from '../../core/offload.ts';
import { HealthCheckCodec } from './health-check-codec.ts';
import { HealthCodec } from './health-codec.ts';
import { InferCodec, StreamInferCodec } from './infer-codec.ts';
import { GrpcPath, INFERENCE, NOT_OFFERED } from './methods.ts';
import { ModelConfigCodec } from './model-config-codec.ts';
import { ModelMetadataCodec } from './model-metadata-codec.ts';
import { ModelReadyCodec } from './model-ready-codec.ts';
import { ModelStatisticsCodec } from './model-statistics-codec.ts';
import { NotOfferedCodec } from './not-offered-codec.ts';
import { ReflectionCodec } from './reflection-codec.ts';
import { RepositoryIndexCodec } from './repository-index-codec.ts';
import { ServerMetadataCodec } from './server-metadata-codec.ts';
import { UnknownMethodCodec } from './unknown-method-codec.ts';

export interface GrpcProtocolOptions {
  /** Inputs, and outputs asked for, in one request. */
  readonly maxTensors: number;
  /** Typed contents of one request, which are read element by element. */
  readonly maxTypedBytes: number;
  readonly offload: Offload;
  readonly serverName: string;
  readonly serverVersion: string;
  /** Whether server reflection is served. */
  readonly reflection: boolean;
  /** Whether this gateway would take traffic now. */
  readonly isReady: () => boolean;
}

/**
 * The methods served over gRPC: the Open Inference Protocol with Triton's extensions, health and reflection. Models stand in the messages,
 * so all matches are made at start-up. A method with streams is matched once for each message.
 */
export class GrpcProtocol {
  readonly #matches: ReadonlyMap<string, Match>;
  readonly #unknown: Match;

  constructor(options: GrpcProtocolOptions) {
    const { isReady } = options;
    const matches = new Map<string, Match>([
      [GrpcPath.ModelInfer, guarded(new InferCodec('grpc_infer', options))],
      [GrpcPath.ModelStreamInfer, guarded(new StreamInferCodec('grpc_stream_infer', options))],
      [GrpcPath.ModelReady, guarded(new ModelReadyCodec())],
      [GrpcPath.ModelMetadata, guarded(new ModelMetadataCodec())],
      [GrpcPath.ModelConfig, guarded(new ModelConfigCodec())],
      [GrpcPath.ModelStatistics, guarded(new ModelStatisticsCodec())],
      [GrpcPath.RepositoryIndex, guarded(new RepositoryIndexCodec())],
      [GrpcPath.ServerMetadata, guarded(new ServerMetadataCodec(options.serverName, options.serverVersion))],
      [GrpcPath.ServerLive, open(new HealthCodec(() => true))],
      [GrpcPath.ServerReady, open(new HealthCodec(isReady))],
      [GrpcPath.HealthCheck, open(new HealthCheckCodec('grpc_health_check', isReady, false))],
      [GrpcPath.HealthWatch, open(new HealthCheckCodec('grpc_health_watch', isReady, true))],
    ]);
    for (const [method, instead] of NOT_OFFERED) {
      matches.set(INFERENCE + method, match(new NotOfferedCodec(method, instead), Fault.NotSupported, false));
    }
    if (options.reflection) {
      const reflection = guarded(new ReflectionCodec());
      matches.set(GrpcPath.Reflection, reflection);
      matches.set(GrpcPath.ReflectionAlpha, reflection);
    }
    this.#matches = matches;
    this.#unknown = match(new UnknownMethodCodec(), Fault.MethodNotAllowed, false);
  }

  /** @hot */
  match(head: Head): Match {
    return this.#matches.get(head.path) ?? this.#unknown;
  }
}

const guarded = (codec: Codec): Match => match(codec, null, false);
const open = (codec: Codec): Match => match(codec, null, true);

function match(codec: Codec, fault: FaultKind | null, isOpen: boolean): Match {
  return Object.freeze({ codec, fault, open: isOpen, model: '', version: '' });
}
