import { NAME_PATTERN } from '../../config/name-pattern.ts';
import type { Head, Match } from '../../core/exchange.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import type { Offload } from '../../core/offload.ts';
import { GenerateCodec, GenerateStreamCodec } from '../generate/generate-codec.ts';
import { GenerateReader } from '../generate/generate-reader.ts';
import { matchAt, NO_PLACE, notOffered, type Place, post, question } from '../http-place.ts';
import { JsonBody } from '../json-body.ts';
import { BodyRules } from './body-rules.ts';
import { InferCodec } from './infer-codec.ts';
import type { InflateLimits } from './inflation.ts';
import { ModelListCodec, ModelMetadataCodec, ModelReadyCodec } from './model-codecs.ts';
import { ModelConfigCodec } from './model-config-codec.ts';
import { RefusalCodec } from './refusal-codec.ts';
import { MAX_REPOSITORY_BYTES, RepositoryChangeCodec, RepositoryIndexCodec } from './repository-codecs.ts';
import { ServerLiveCodec, ServerMetadataCodec, ServerReadyCodec } from './server-codecs.ts';
import { StatisticsCodec } from './statistics-codec.ts';

export interface RestOptions {
  readonly maxJsonDepth: number;
  readonly maxTensors: number;
  readonly maxJsonBytes: number;
  readonly inflate: InflateLimits;
  readonly offload: Offload;
  readonly serverName: string;
  readonly serverVersion: string;
  readonly isReady: () => boolean;
}

const MODELS = '/v2/models/';
const VERSIONS = '/versions/';
const REPOSITORY_CHANGE = /^\/v2\/repository\/models\/[^/]+\/(?:load|unload)$/;
const SHARED_MEMORY = /^\/v2\/(?:system|cuda)sharedmemory(?:\/region\/[^/]+)?\/(status|register|unregister)$/;

const NO_SHARED_MEMORY = 'Shared memory is not taken: send the bytes.';
const BY_CONFIG = 'Traces and logs are set in the configuration.';
const SMALL_BODY = new RefusalCodec('', `At most ${MAX_REPOSITORY_BYTES} bytes are taken here.`);

/** The Open Inference Protocol v2 over REST: which codec a request belongs to, as far as its head tells. */
export class RestProtocol {
  /** By path. */
  readonly #fixed: ReadonlyMap<string, Place>;
  /** By what follows model and version. */
  readonly #ofModel: ReadonlyMap<string, Place>;
  readonly #repositoryChange = post(new RepositoryChangeCodec(), largeBody, SMALL_BODY);
  readonly #memoryStatus = notOffered(['GET'], NO_SHARED_MEMORY);
  readonly #memoryChange = notOffered(['POST'], NO_SHARED_MEMORY);

  constructor(options: RestOptions) {
    this.#fixed = serverPlaces(options);
    this.#ofModel = modelPlaces(options);
  }

  /** @hot */
  match(head: Head): Match {
    const path = head.path;
    const fixed = this.#fixed.get(path);
    if (fixed !== undefined) return matchAt(fixed, head, '', '');
    return path.startsWith(MODELS) ? this.#matchModel(head, path) : this.#matchRest(head, path);
  }

  #matchModel(head: Head, path: string): Match {
    const modelEnd = segmentEnd(path, MODELS.length);
    const model = path.slice(MODELS.length, modelEnd);
    let version = '';
    let rest = modelEnd;
    if (path.startsWith(VERSIONS, modelEnd)) {
      const from = modelEnd + VERSIONS.length;
      rest = segmentEnd(path, from);
      version = path.slice(from, rest);
      if (!NAME_PATTERN.test(version)) return NO_PLACE;
    }
    const place = this.#ofModel.get(path.slice(rest));
    return place === undefined || !NAME_PATTERN.test(model) ? NO_PLACE : matchAt(place, head, model, version);
  }

  /** Paths that hold a name nobody looks up: the answer is the same for each. */
  #matchRest(head: Head, path: string): Match {
    if (REPOSITORY_CHANGE.test(path)) return matchAt(this.#repositoryChange, head, '', '');
    const memory = SHARED_MEMORY.exec(path);
    if (memory === null) return NO_PLACE;
    return matchAt(memory[1] === 'status' ? this.#memoryStatus : this.#memoryChange, head, '', '');
  }
}

function serverPlaces(options: RestOptions): ReadonlyMap<string, Place> {
  const settings = notOffered(['GET', 'POST'], BY_CONFIG);
  return new Map([
    ['/v2', question(new ServerMetadataCodec(options.serverName, options.serverVersion))],
    ['/v2/health/live', question(new ServerLiveCodec(), true)],
    ['/v2/health/ready', question(new ServerReadyCodec(options.isReady), true)],
    ['/v2/models', question(new ModelListCodec())],
    // Other servers keep this path from a model of that name as well.
    ['/v2/models/stats', question(new StatisticsCodec())],
    ['/v2/repository/index', post(new RepositoryIndexCodec(), largeBody, SMALL_BODY)],
    ['/v2/logging', settings],
    ['/v2/trace/setting', settings],
  ]);
}

function modelPlaces(options: RestOptions): ReadonlyMap<string, Place> {
  const { maxJsonDepth, maxTensors, inflate, offload } = options;
  const rules = new BodyRules(options.maxJsonBytes);
  const json = new JsonBody({ rules, inflate, anyType: false });
  const infer = new InferCodec({ maxJsonDepth, maxTensors, rules, offload, ...inflate });
  const generate = { body: json, reader: new GenerateReader(maxJsonDepth), maxJsonDepth, offload };
  const jsonFlaw = (head: Head): FaultKind | null => json.flaw(head)?.kind ?? null;
  return new Map([
    ['', question(new ModelMetadataCodec())],
    ['/ready', question(new ModelReadyCodec())],
    ['/config', question(new ModelConfigCodec())],
    ['/stats', question(new StatisticsCodec())],
    ['/infer', post(infer, (head) => rules.flaw(head)?.kind ?? null)],
    ['/generate', post(new GenerateCodec(generate), jsonFlaw)],
    ['/generate_stream', post(new GenerateStreamCodec(generate), jsonFlaw)],
    ['/infer_stream', notOffered(['POST'], 'Use ModelStreamInfer over gRPC, or generate_stream.')],
    ['/trace/setting', notOffered(['GET', 'POST'], BY_CONFIG)],
  ]);
}

function segmentEnd(path: string, from: number): number {
  const slash = path.indexOf('/', from);
  return slash === -1 ? path.length : slash;
}

function largeBody(head: Head): FaultKind | null {
  return head.contentLength > MAX_REPOSITORY_BYTES ? Fault.BodyTooLarge : null;
}
