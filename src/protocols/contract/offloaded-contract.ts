import { bytesOf, detached, headsOf, totalBytes } from '../../core/detached.ts';
import type { InferenceRequest, Prediction } from '../../core/inference.ts';
import type { Offload, Waiting } from '../../core/offload.ts';
import type { ModelContract, Signature } from '../../core/signature.ts';
import type { Maybe } from '../../core/verdict.ts';
import { type CompiledContract, compileContract } from './compile-contract.ts';
import { type ContractParts, JUDGE_ANSWER, JUDGE_REQUEST } from './judge-tasks.ts';

// Measured against reading text: the worst rule (BF16 between bounds) takes 16 ms a MiB, JSON 35.
const REQUEST_TIMES = 4;
/** Counting strings takes 1 ms a MiB. */
const ANSWER_TIMES = 64;

let lastId = 0;

/** A contract that judges small requests in place and has a thread judge those that would hold up the others. */
export class OffloadedContract implements ModelContract {
  readonly signature: Signature;
  readonly rowLimit: number;
  readonly #inPlace: CompiledContract;
  readonly #id = ++lastId;
  readonly #parts: string;
  readonly #offload: Offload;
  readonly #mostRequest: number;
  readonly #mostAnswer: number;

  constructor(parts: ContractParts, offload: Offload) {
    this.#inPlace = compileContract(parts.signature, parts.rules, parts.maxRows, parts.rowsAgree);
    this.signature = parts.signature;
    this.rowLimit = this.#inPlace.rowLimit;
    this.#parts = JSON.stringify(parts);
    this.#offload = offload;
    this.#mostRequest = REQUEST_TIMES * offload.inlineBytes;
    this.#mostAnswer = ANSWER_TIMES * offload.inlineBytes;
  }

  /** @hot */
  rows(request: InferenceRequest): number {
    return this.#inPlace.rows(request);
  }

  /** @hot */
  refusal(request: InferenceRequest, waiting: Waiting): Maybe<string> {
    const isSmall = totalBytes(request.inputs) <= this.#mostRequest || this.#inPlace.effort(request) <= this.#mostRequest;
    return isSmall ? this.#inPlace.refusal(request) : this.#refusalAside(request, waiting);
  }

  /** @hot */
  lie(request: InferenceRequest, prediction: Prediction, waiting: Waiting): Maybe<string> {
    // Where a model answers several times, an answer must not overtake the one before it.
    return this.signature.decoupled || stringBytes(prediction) <= this.#mostAnswer
      ? this.#inPlace.lie(request, prediction)
      : this.#lieAside(request, prediction, waiting);
  }

  /** @hot */
  plainLie(request: InferenceRequest, prediction: Prediction): string {
    return stringBytes(prediction) <= this.#mostAnswer
      ? this.#inPlace.lie(request, prediction)
      : this.#inPlace.plainLie(request, prediction);
  }

  async #refusalAside(request: InferenceRequest, waiting: Waiting): Promise<string> {
    const input = { id: this.#id, parts: this.#parts, request: detached(request) };
    return (await this.#offload.run(JUDGE_REQUEST, input, bytesOf(request.inputs), waiting)).value;
  }

  async #lieAside(request: InferenceRequest, prediction: Prediction, waiting: Waiting): Promise<string> {
    const { outputs } = prediction;
    const input = { id: this.#id, parts: this.#parts, request: detached(request), outputs: headsOf(outputs) };
    return (await this.#offload.run(JUDGE_ANSWER, input, bytesOf(outputs), waiting)).value;
  }
}

/** Of an answer only its strings are walked. */
function stringBytes({ outputs }: Prediction): number {
  let bytes = 0;
  for (let i = 0; i < outputs.length; i++) if (outputs[i]!.datatype === 'BYTES') bytes += outputs[i]!.data.length;
  return bytes;
}
