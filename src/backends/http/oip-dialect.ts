import { Fault } from '../../core/faults.ts';
import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import type { HttpAnswer } from '../../wire/http/http-sink.ts';
import { writeBinaryRequest, writeJsonRequest } from '../../wire/oip-rest/infer-request.ts';
import { InferResponseReader, jsonLength } from '../../wire/oip-rest/infer-response.ts';
import { saysReady } from '../../wire/oip-rest/metadata.ts';
import { withNamedOutputs } from '../named-outputs.ts';
import { NO_EXPLAIN } from '../no-explain.ts';
import { BYTES_TYPE, type Dialect, JSON_TYPE, type Outgoing, type Refusal } from './dialect.ts';
import type { JsonBounds } from './json-bounds.ts';

const LENGTH_FIELD = 'inference-header-content-length';

/** The Open Inference Protocol v2 over REST, with tensors as bytes behind a JSON head or all in JSON. */
export class OipDialect implements Dialect {
  readonly #inferPath: string;
  readonly readyPath: string;
  readonly binary: boolean;
  /** Names of all that the model has. */
  readonly #outputs: readonly string[];
  readonly #bounds: JsonBounds;
  readonly #reader = new InferResponseReader();

  constructor(modelPath: string, binary: boolean, outputs: readonly string[], bounds: JsonBounds) {
    this.#inferPath = `${modelPath}/infer`;
    this.readyPath = `${modelPath}/ready`;
    this.binary = binary;
    this.#outputs = outputs;
    this.#bounds = bounds;
  }

  pathOf(): string {
    return this.#inferPath;
  }

  /** @hot */
  write(request: InferenceRequest): Outgoing | Refusal {
    if (request.task === 'explain') return { kind: Fault.NotSupported, detail: NO_EXPLAIN };
    const asked = withNamedOutputs(request, this.#outputs);
    if (this.binary) {
      const { pieces, jsonBytes } = writeBinaryRequest(asked);
      return { pieces, contentType: BYTES_TYPE, jsonBytes };
    }
    const refusal = this.#bounds.refuseInputs(request);
    if (refusal !== null) return refusal;
    const body = writeJsonRequest(asked);
    if (typeof body === 'string') return { kind: Fault.NotSupported, detail: body };
    return { pieces: body.pieces, contentType: JSON_TYPE, jsonBytes: -1 };
  }

  /** @hot A server may answer in bytes or in JSON, whatever it was asked for. */
  read(answer: HttpAnswer): Tensor[] | Refusal {
    const { body } = answer;
    const field = answer.field(LENGTH_FIELD);
    const jsonBytes = jsonLength(field, body.length);
    if (jsonBytes === -1) {
      return { kind: Fault.BackendLied, detail: `The JSON of its answer is said to end outside its ${body.length} bytes.` };
    }
    const refusal = this.#bounds.refuseAnswer(jsonBytes);
    if (refusal !== null) return refusal;
    const outputs = this.#reader.read(body, jsonBytes);
    return typeof outputs === 'string' ? { kind: Fault.BackendLied, detail: outputs } : outputs;
  }

  saysReady(body: Uint8Array): boolean {
    return saysReady(body);
  }
}
