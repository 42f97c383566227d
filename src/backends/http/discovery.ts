import type { HttpBackendConfig } from '../../config/model-schema.ts';
import { type EndpointAddress, endpointLabel } from '../../core/endpoints.ts';
import { Fault, GatewayError } from '../../core/faults.ts';
import type { Signature } from '../../core/signature.ts';
import { readExtensions, readModelMetadata } from '../../wire/oip-rest/metadata.ts';
import { readModelMetadata as readV1Metadata } from '../../wire/v1-rest/metadata.ts';
import { quotedText } from '../grpc/status-fault.ts';
import type { Answer } from './ask.ts';
import type { Dialect } from './dialect.ts';
import { JsonBounds } from './json-bounds.ts';
import { OipDialect } from './oip-dialect.ts';
import { V1Dialect } from './v1-dialect.ts';

/** What a server has told of a model. */
export interface Discovered {
  readonly dialect: Dialect;
  readonly signature: Signature;
}

export interface DiscoveryOptions {
  readonly config: HttpBackendConfig;
  readonly endpoint: EndpointAddress;
  /** Name of the model there. */
  readonly model: string;
  readonly ask: (path: string) => Promise<Answer>;
}

const BINARY_EXTENSION = 'binary_tensor_data';

/** Asks a server what the model takes and how to speak to it, as far as config leaves that open. Rejects with a GatewayError that says why. */
export class Discovery {
  readonly #config: HttpBackendConfig;
  readonly #target: string;
  readonly #model: string;
  readonly #ask: (path: string) => Promise<Answer>;
  readonly #base: string;
  readonly #bounds: JsonBounds;

  constructor(options: DiscoveryOptions) {
    this.#config = options.config;
    this.#target = endpointLabel(options.endpoint);
    this.#model = options.model;
    this.#ask = options.ask;
    this.#base = basePathOf(options.endpoint.name);
    this.#bounds = new JsonBounds(options.config.maxJsonBytes);
  }

  async find(): Promise<Discovered> {
    const { protocol } = this.#config;
    if (protocol === 'v1') return this.#v1('');
    const oip = await this.#ask(this.#path('v2'));
    if (oip.status === 200) return this.#oip(oip);
    // A server that cannot be reached has no other protocol to be asked for.
    if (protocol === 'oip' || oip.status === 0) throw this.#unanswered(oip, 'OIP');
    return this.#v1(`OIP ${oip.status}, and `);
  }

  async #oip(metadata: Answer): Promise<Discovered> {
    const signature = readModelMetadata(metadata.body);
    if (typeof signature === 'string') throw this.#unreadable(signature);
    const { body } = this.#config;
    const binary = body === 'auto' ? await this.#takesBinary() : body === 'binary';
    const outputs = signature.outputs.map(({ name }) => name);
    return { dialect: new OipDialect(this.#path('v2'), binary, outputs, this.#bounds), signature };
  }

  /** `before` says what another protocol came to. */
  async #v1(before: string): Promise<Discovered> {
    const metadata = await this.#ask(`${this.#path('v1')}/metadata`);
    if (metadata.status !== 200) throw this.#unanswered(metadata, `${before}V1`);
    const stated = readV1Metadata(metadata.body);
    if (typeof stated === 'string') throw this.#unreadable(stated);
    return { dialect: new V1Dialect(this.#path('v1'), stated, this.#bounds), signature: stated.signature };
  }

  /** A server that does not tell its extensions has none. */
  async #takesBinary(): Promise<boolean> {
    const answer = await this.#ask(`${this.#base}/v2`);
    if (answer.status === 0) throw this.#unanswered(answer, 'OIP');
    return answer.status === 200 && readExtensions(answer.body).includes(BINARY_EXTENSION);
  }

  #path(protocol: 'v2' | 'v1'): string {
    const { version } = this.#config;
    const path = `${this.#base}/${protocol}/models/${this.#model}`;
    return version === '' ? path : `${path}/versions/${version}`;
  }

  #unanswered(answer: Answer, protocol: string): GatewayError {
    if (answer.status === 0) {
      const kind = answer.sent ? Fault.BackendFailed : Fault.BackendUnreachable;
      return new GatewayError(
        kind,
        `The server at ${this.#target} cannot be reached: ${quotedText(answer.detail)}. Check backend.endpoints.`,
      );
    }
    const advice = protocol.endsWith('V1')
      ? 'V1 is spoken to servers that tell a signature at …/metadata, as TensorFlow Serving does; a server that has none cannot stand behind a model here.'
      : 'Check endpoints, model, version and credential, and that the model is loaded there.';
    return new GatewayError(
      Fault.BackendFailed,
      `The server at ${this.#target} answered ${protocol} ${answer.status} when asked for the metadata of model "${this.#model}". ${advice}`,
    );
  }

  #unreadable(problem: string): GatewayError {
    const detail = `Metadata of model "${this.#model}" at ${this.#target}: ${quotedText(problem)}`;
    return new GatewayError(Fault.BackendLied, detail);
  }
}

/** The path of a base url without the slash at its end. */
function basePathOf(url: string): string {
  return new URL(url).pathname.replace(/\/$/, '');
}
