import { explanationOf } from '../../core/explanation.ts';
import { Fault } from '../../core/faults.ts';
import type { InferenceRequest, Task, Tensor } from '../../core/inference.ts';
import type { HttpAnswer } from '../../wire/http/http-sink.ts';
import { writeExplainRequest } from '../../wire/v1-rest/explain-request.ts';
import { ExplainResponseReader } from '../../wire/v1-rest/explain-response.ts';
import { saysReady, type V1Model } from '../../wire/v1-rest/metadata.ts';
import { writePredictRequest } from '../../wire/v1-rest/predict-request.ts';
import { PredictResponseReader } from '../../wire/v1-rest/predict-response.ts';
import { type Dialect, JSON_TYPE, type Outgoing, type Refusal } from './dialect.ts';
import type { JsonBounds } from './json-bounds.ts';

/** V1 as TensorFlow Serving speaks it. It knows neither ids nor parameters, nor a choice of outputs: those are left out here. */
export class V1Dialect implements Dialect {
  readonly readyPath: string;
  readonly #predictPath: string;
  readonly #explainPath: string;
  readonly #signatureName: string;
  readonly #bounds: JsonBounds;
  readonly #reader: PredictResponseReader;
  readonly #explanations = new ExplainResponseReader();

  constructor(modelPath: string, model: V1Model, bounds: JsonBounds) {
    this.readyPath = modelPath;
    this.#predictPath = `${modelPath}:predict`;
    this.#explainPath = `${modelPath}:explain`;
    this.#signatureName = model.signatureName;
    this.#bounds = bounds;
    this.#reader = new PredictResponseReader(model.signature.outputs);
  }

  pathOf(task: Task): string {
    return task === 'explain' ? this.#explainPath : this.#predictPath;
  }

  write(request: InferenceRequest): Outgoing | Refusal {
    const refusal = this.#bounds.refuseInputs(request);
    if (refusal !== null) return refusal;
    const explains = request.task === 'explain';
    const pieces = explains ? writeExplainRequest(request) : writePredictRequest(request, this.#signatureName);
    return { pieces, contentType: JSON_TYPE, jsonBytes: -1 };
  }

  read(answer: HttpAnswer, { task, wanted }: InferenceRequest): Tensor[] | Refusal {
    const { body } = answer;
    const refusal = this.#bounds.refuseAnswer(body.length);
    if (refusal !== null) return refusal;
    if (task === 'explain') return this.#explanation(body);
    const outputs = this.#reader.read(body);
    if (typeof outputs === 'string') return { kind: Fault.BackendLied, detail: outputs };
    return wanted.length === 0 ? outputs : outputs.filter((output) => wanted.includes(output.name));
  }

  #explanation(body: Buffer): Tensor[] | Refusal {
    const fault = this.#explanations.fault(body);
    return fault === '' ? [explanationOf(body)] : { kind: Fault.BackendLied, detail: fault };
  }

  saysReady(body: Uint8Array): boolean {
    return saysReady(body);
  }
}
