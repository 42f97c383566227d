import type { InputRule } from '../../config/model-schema.ts';
import { tensorsOf } from '../../core/detached.ts';
import type { InferenceRequest, Tensor } from '../../core/inference.ts';
import type { Task } from '../../core/offload.ts';
import type { Signature } from '../../core/signature.ts';
import { type CompiledContract, compileContract } from './compile-contract.ts';

/** The judgement of requests and answers as a thread does it: from what a contract is made of, since a contract itself cannot travel. */

export interface ContractParts {
  readonly signature: Signature;
  readonly rules: Readonly<Record<string, InputRule>>;
  readonly maxRows: number;
  readonly rowsAgree: boolean;
}

interface Judged {
  /** Tells the contracts of one process apart. */
  readonly id: number;
  /** The parts as JSON, which is read once in each thread. */
  readonly parts: string;
  /** Without the bytes of its inputs. */
  readonly request: InferenceRequest;
}

/** Why the request with these bytes is refused. */
export const JUDGE_REQUEST: Task<Judged, string> = {
  name: 'contract-request',
  run({ id, parts, request }, bytes) {
    const whole = { ...request, inputs: tensorsOf(request.inputs, bytes) };
    return { value: contractOf(id, parts).refusal(whole), bytes: [] };
  },
};

interface JudgedAnswer extends Judged {
  readonly outputs: readonly Tensor[];
}

/** Why the answer with these bytes is a lie. Of the request only its shapes count. */
export const JUDGE_ANSWER: Task<JudgedAnswer, string> = {
  name: 'contract-answer',
  run({ id, parts, request, outputs }, bytes) {
    const prediction = { outputs: tensorsOf(outputs, bytes), computeUs: 0 };
    return { value: contractOf(id, parts).lie(request, prediction), bytes: [] };
  },
};

/** A thread sees every model now and then; more than so many are compiled anew. */
const MAX_KEPT = 64;
const kept = new Map<number, CompiledContract>();

function contractOf(id: number, parts: string): CompiledContract {
  let contract = kept.get(id);
  if (contract === undefined) {
    if (kept.size >= MAX_KEPT) kept.clear();
    const { signature, rules, maxRows, rowsAgree } = JSON.parse(parts) as ContractParts;
    contract = compileContract(signature, rules, maxRows, rowsAgree);
    kept.set(id, contract);
  }
  return contract;
}
