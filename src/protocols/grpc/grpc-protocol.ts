import type { Codec, Head, Match } from '../../core/exchange.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import { HealthCodec } from './health-codec.ts';
import { InferCodec } from './infer-codec.ts';
import { ModelMetadataCodec } from './model-metadata-codec.ts';
import { ModelReadyCodec } from './model-ready-codec.ts';
import { ServerMetadataCodec } from './server-metadata-codec.ts';
import { UnknownMethodCodec } from './unknown-method-codec.ts';

export interface GrpcProtocolOptions {
  /** Inputs, and outputs asked for, in one request. */
  readonly maxTensors: number;
  readonly serverName: string;
  readonly serverVersion: string;
  /** Whether this gateway would take traffic now. */
  readonly isReady: () => boolean;
}

const SERVICE = '/inference.GRPCInferenceService/';

/** The methods of the Open Inference Protocol over gRPC. Models stand in the messages, so all matches are made at start-up. */
export class GrpcProtocol {
  readonly #matches: ReadonlyMap<string, Match>;
  readonly #unknown: Match;

  constructor(options: GrpcProtocolOptions) {
    this.#matches = new Map([
      [`${SERVICE}ModelInfer`, guarded(new InferCodec(options.maxTensors))],
      [`${SERVICE}ModelReady`, guarded(new ModelReadyCodec())],
      [`${SERVICE}ModelMetadata`, guarded(new ModelMetadataCodec())],
      [`${SERVICE}ServerMetadata`, guarded(new ServerMetadataCodec(options.serverName, options.serverVersion))],
      [`${SERVICE}ServerLive`, open(new HealthCodec(() => true))],
      [`${SERVICE}ServerReady`, open(new HealthCodec(options.isReady))],
    ]);
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
