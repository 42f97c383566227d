import { Fault } from '../../core/faults.ts';
import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import type { HttpAnswer } from '../../wire/http/http-sink.ts';
import { saysReady, type V1Model } from '../../wire/v1-rest/metadata.ts';
import { writePredictRequest } from '../../wire/v1-rest/predict-request.ts';
import { PredictResponseReader } from '../../wire/v1-rest/predict-response.ts';
import { type Dialect, JSON_TYPE, type Outgoing, type Refusal } from './dialect.ts';
import type { JsonBounds } from './json-bounds.ts';

/** V1 as TensorFlow Serving speaks it. It knows neither ids nor parameters, nor a choice of outputs: those are left out here. */
export class V1Dialect implements Dialect {
  readonly inferPath: string;
  readonly readyPath: string;
  readonly #signatureName: string;
  readonly #bounds: JsonBounds;
  readonly #reader: PredictResponseReader;

  constructor(modelPath: string, model: V1Model, bounds: JsonBounds) {
    this.inferPath = `${modelPath}:predict`;
    this.readyPath = modelPath;
    this.#signatureName = model.signatureName;
    this.#bounds = bounds;
    this.#reader = new PredictResponseReader(model.signature.outputs);
  }

  write(request: InferenceRequest): Outgoing | Refusal {
    const refusal = this.#bounds.refuseInputs(request);
    if (refusal !== null) return refusal;
    return { pieces: writePredictRequest(request, this.#signatureName), contentType: JSON_TYPE, jsonBytes: -1 };
  }

  read(answer: HttpAnswer, wanted: readonly string[]): Tensor[] | Refusal {
    const { body } = answer;
    const refusal = this.#bounds.refuseAnswer(body.length);
    if (refusal !== null) return refusal;
    const outputs = this.#reader.read(body);
    if (typeof outputs === 'string') return { kind: Fault.BackendLied, detail: outputs };
    return wanted.length === 0 ? outputs : outputs.filter((output) => wanted.includes(output.name));
  }

  saysReady(body: Uint8Array): boolean {
    return saysReady(body);
  }
}
