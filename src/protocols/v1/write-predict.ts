import { tensorsOf } from '../../core/detached.ts';
import type { Tensor } from '../../core/inference.ts';
import type { Task } from '../../core/offload.ts';
import type { PredictForm } from './predict-reader.ts';
import { writePrediction } from './predict-writer.ts';

interface PredictToWrite {
  readonly form: PredictForm;
  /** Without their bytes. */
  readonly outputs: readonly Tensor[];
}

/** The writing of one answer to `:predict`, which can be said there, as a thread does it. */
export const WRITE_PREDICT: Task<PredictToWrite, null> = {
  name: 'v1-answer',
  run({ form, outputs }, bytes) {
    const written = writePrediction({ outputs: tensorsOf(outputs, bytes), computeUs: 0 }, form);
    return { value: null, bytes: [Buffer.concat(written.pieces())] };
  },
};
