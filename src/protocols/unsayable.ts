import { bytesOf, headsOf, tensorsOf } from '../core/detached.ts';
import type { Tensor } from '../core/inference.ts';
import type { Offload, Task, Waiting } from '../core/offload.ts';
import type { Maybe } from '../core/verdict.ts';
import { quoted } from '../wire/json/message-text.ts';
import { jsonRefusal } from '../wire/json/tensor-writer.ts';

/** Which outputs have no words in JSON. */

/** The same as a thread finds it. */
export const CHECK_TENSORS: Task<readonly Tensor[], string> = {
  name: 'tensors-unsayable',
  run(heads, bytes) {
    return { value: firstRefusal(tensorsOf(heads, bytes)), bytes: [] };
  },
};

/** Why the first output that cannot be written as JSON cannot be; empty when all can. @hot */
export function unsayable(outputs: readonly Tensor[], offload: Offload, waiting: Waiting): Maybe<string> {
  // Strings alone are walked, which takes as long as reading them as JSON where one of them is long and the others are short.
  let stringBytes = 0;
  for (let i = 0; i < outputs.length; i++) if (outputs[i]!.datatype === 'BYTES') stringBytes += outputs[i]!.data.length;
  return stringBytes <= offload.inlineBytes ? firstRefusal(outputs) : checkAside(outputs, offload, waiting);
}

function firstRefusal(outputs: readonly Tensor[]): string {
  for (let i = 0; i < outputs.length; i++) {
    const refusal = jsonRefusal(outputs[i]!);
    if (refusal !== '') return `output ${quoted(outputs[i]!.name)}: ${refusal}`;
  }
  return '';
}

async function checkAside(outputs: readonly Tensor[], offload: Offload, waiting: Waiting): Promise<string> {
  return (await offload.run(CHECK_TENSORS, headsOf(outputs), bytesOf(outputs), waiting)).value;
}
