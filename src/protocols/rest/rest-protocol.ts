import { NAME_PATTERN } from '../../config/fields.ts';
import type { Codec, Head, Match } from '../../core/exchange.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import { InferCodec } from './infer-codec.ts';
import { isIdentity, isJson } from './media.ts';
import { ModelListCodec, ModelMetadataCodec, ModelReadyCodec } from './model-codecs.ts';
import { RefusalCodec } from './refusal-codec.ts';
import { ServerLiveCodec, ServerMetadataCodec, ServerReadyCodec } from './server-codecs.ts';

const MODELS = '/v2/models/';
const VERSIONS = '/versions/';
const NO_SUCH_PATH = 'There is nothing at this path.';
const NOT_BINARY = 'Binary tensors are not supported yet: send JSON without Inference-Header-Content-Length, or use gRPC.';

/** The Open Inference Protocol v2 over REST: which codec a request belongs to, as far as its head tells. */
export class RestProtocol {
  /** Paths without a model. */
  readonly #fixed: ReadonlyMap<string, Match>;
  readonly #metadata = new ModelMetadataCodec();
  readonly #ready = new ModelReadyCodec();
  readonly #infer: InferCodec;
  readonly #notFound = refused(Fault.NotFound, new RefusalCodec('', NO_SUCH_PATH));
  readonly #onlyGet = refused(Fault.MethodNotAllowed, new RefusalCodec('GET', 'Use GET.'));
  readonly #onlyPost = refused(Fault.MethodNotAllowed, new RefusalCodec('POST', 'Use POST.'));
  readonly #noBody = refused(Fault.Malformed, new RefusalCodec('', 'This path takes no body.'));
  readonly #notBinary = refused(Fault.NotSupported, new RefusalCodec('', NOT_BINARY));

  constructor(options: {
    readonly maxJsonDepth: number;
    readonly maxTensors: number;
    readonly serverName: string;
    readonly serverVersion: string;
    readonly isReady: () => boolean;
  }) {
    this.#infer = new InferCodec(options.maxJsonDepth, options.maxTensors);
    this.#fixed = new Map([
      ['/v2', matched(new ServerMetadataCodec(options.serverName, options.serverVersion), false)],
      ['/v2/health/live', matched(new ServerLiveCodec(), true)],
      ['/v2/health/ready', matched(new ServerReadyCodec(options.isReady), true)],
      ['/v2/models', matched(new ModelListCodec(), false)],
    ]);
  }

  /** @hot */
  match(head: Head): Match {
    const path = head.path;
    if (path.startsWith(MODELS)) return this.#matchModel(head, path);
    const fixed = this.#fixed.get(path);
    if (fixed === undefined) return this.#notFound;
    return this.#question(head) ?? fixed;
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
      if (!NAME_PATTERN.test(version)) return this.#notFound;
    }
    if (!NAME_PATTERN.test(model)) return this.#notFound;
    switch (path.slice(rest)) {
      case '/infer':
        return this.#matchInfer(head, model, version);
      case '':
        return this.#question(head) ?? { codec: this.#metadata, fault: null, open: false, model, version };
      case '/ready':
        return this.#question(head) ?? { codec: this.#ready, fault: null, open: false, model, version };
      default:
        return this.#notFound;
    }
  }

  #matchInfer(head: Head, model: string, version: string): Match {
    if (head.method !== 'POST') return this.#onlyPost;
    if (head.header('inference-header-content-length') !== '') return this.#notBinary;
    const fits = isJson(head.header('content-type')) && isIdentity(head.header('content-encoding'));
    return { codec: this.#infer, fault: fits ? null : Fault.MediaType, open: false, model, version };
  }

  /** Why the head of a question is refused, or null. */
  #question(head: Head): Match | null {
    if (head.method !== 'GET') return this.#onlyGet;
    // Health has no credential, so a body here would be a stranger's.
    return head.contentLength > 0 ? this.#noBody : null;
  }
}

function segmentEnd(path: string, from: number): number {
  const slash = path.indexOf('/', from);
  return slash === -1 ? path.length : slash;
}

const matched = (codec: Codec, open: boolean): Match => ({ codec, fault: null, open, model: '', version: '' });

const refused = (fault: FaultKind, codec: Codec): Match => ({ codec, fault, open: false, model: '', version: '' });
