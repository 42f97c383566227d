import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { TensorSpec } from '../../core/signature.ts';
import { bytesOf, InputError, stringsOf } from './byte-tensor.ts';
import { elementsOf, ortTypeOf } from './element-types.ts';
import { errorText } from './error-text.ts';
import type { Runtime } from './onnxruntime.ts';
import type { LoadedSession } from './session-load.ts';
import type { RunJob, RunOutput, RunResult } from './thread-messages.ts';

const NO_OUTPUTS: readonly RunOutput[] = [];

/** Runs one job and never throws: whatever goes wrong is in the result. Runs in a thread. */
export async function runJob(runtime: Runtime, loaded: LoadedSession, job: RunJob): Promise<RunResult> {
  const startedMs = performance.now();
  try {
    const feeds = feedsOf(runtime, loaded, job);
    const answers = await loaded.session.run(feeds);
    const computeUs = elapsedUs(startedMs);
    return { run: job.run, end: 'done', error: '', computeUs, outputs: outputsOf(loaded, answers) };
  } catch (error) {
    const end = error instanceof InputError ? 'input' : 'run';
    return { run: job.run, end, error: errorText(error), computeUs: elapsedUs(startedMs), outputs: NO_OUTPUTS };
  }
}

const elapsedUs = (startedMs: number): number => Math.max(1, Math.round((performance.now() - startedMs) * 1000));

function feedsOf(runtime: Runtime, loaded: LoadedSession, job: RunJob): InferenceSession.FeedsType {
  const inputs = loaded.signature.inputs;
  // Without a prototype: an input may have any name.
  const feeds: Record<string, Tensor> = Object.create(null);
  for (let i = 0; i < inputs.length; i++) feeds[inputs[i]!.name] = tensorOf(runtime, inputs[i]!, job, i);
  return feeds;
}

function tensorOf(runtime: Runtime, spec: TensorSpec, job: RunJob, index: number): Tensor {
  const offset = job.places[index * 2]!;
  const sizeBytes = job.places[index * 2 + 1]!;
  const shape = job.shapes[index]!;
  if (spec.datatype === 'BYTES') {
    return new runtime.Tensor('string', stringsOf(spec.name, new Uint8Array(job.buffer, offset, sizeBytes)), shape);
  }
  const elements = elementsOf(spec.datatype, job.buffer, { offset, sizeBytes });
  if (spec.datatype === 'BOOL') keepBooleans(elements as Uint8Array);
  // The constructor has one overload a type, which a type known only at run time cannot pick.
  return new runtime.Tensor(ortTypeOf(spec.datatype) as 'float32', elements as Float32Array, shape);
}

/** C++ gives no meaning to a bool that is neither 0 nor 1, and the protocol lets any byte come. */
function keepBooleans(elements: Uint8Array): void {
  for (let i = 0; i < elements.length; i++) if (elements[i]! > 1) elements[i] = 1;
}

function outputsOf(loaded: LoadedSession, answers: InferenceSession.ReturnType): RunOutput[] {
  const specs = loaded.signature.outputs;
  const outputs: RunOutput[] = new Array(specs.length);
  for (let i = 0; i < specs.length; i++) {
    const tensor = answers[specs[i]!.name]!;
    outputs[i] = { shape: tensor.dims, data: ownBuffer(tensor.data) };
  }
  return outputs;
}

/** The bytes of an output in a buffer that may be transferred. Numbers come from the runtime in a buffer of their own already. */
function ownBuffer(data: Tensor['data']): ArrayBuffer {
  if (Array.isArray(data)) return bytesOf(data);
  const { buffer, byteOffset, byteLength } = data as Float32Array<ArrayBuffer>;
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}
