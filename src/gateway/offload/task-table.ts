import type { Task } from '../../core/offload.ts';
import { INSPECT } from '../../guards/chain-task.ts';
import { JUDGE_ANSWER, JUDGE_REQUEST } from '../../protocols/contract/judge-tasks.ts';
import { READ_GENERATE } from '../../protocols/generate/read-generate.ts';
import { READ_MESSAGE } from '../../protocols/grpc/read-message.ts';
import { READ_INFER } from '../../protocols/rest/read-infer.ts';
import { WRITE_TENSORS } from '../../protocols/tensor-texts.ts';
import { CHECK_TENSORS } from '../../protocols/unsayable.ts';
import { READ_PREDICT } from '../../protocols/v1/read-predict.ts';
import { WRITE_PREDICT } from '../../protocols/v1/write-predict.ts';

/** Everything that a thread can do, by name. */
export const TASKS: ReadonlyMap<string, Task<unknown, unknown>> = new Map(
  [
    READ_INFER,
    READ_PREDICT,
    READ_GENERATE,
    READ_MESSAGE,
    JUDGE_REQUEST,
    JUDGE_ANSWER,
    INSPECT,
    WRITE_TENSORS,
    CHECK_TENSORS,
    WRITE_PREDICT,
    // The name of a task decides what it is given: what comes for one was given with it.
  ].map((task) => [task.name, task as Task<unknown, unknown>]),
);
