import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import type { InferenceSession } from 'onnxruntime-node';
import type { Signature } from '../../core/signature.ts';
import { errorText } from './error-text.ts';
import type { Runtime } from './onnxruntime.ts';
import { explainLoadError, signatureOf } from './session-signature.ts';
import type { SessionSpec } from './thread-messages.ts';

/** Turns a file into a session, on the first execution provider that loads. Runs in a thread. */
export interface LoadedSession {
  readonly session: InferenceSession;
  readonly signature: Signature;
  readonly provider: string;
  readonly skipped: readonly string[];
}

/** Scaling is by threads of ours: more than one thread inside a session spins, and competes with the others. */
const OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
};

export async function loadSession(runtime: Runtime, spec: SessionSpec): Promise<LoadedSession> {
  const source = modelSource(spec);
  const attempts = spec.fallback ? spec.providers.length : 1;
  const skipped: string[] = [];
  for (let i = 0; i < attempts; i++) {
    const provider = spec.providers[i]!;
    try {
      const session = await createSession(runtime, source, spec.providers.slice(i));
      return { session, signature: await signatureOrRelease(session), provider, skipped };
    } catch (error) {
      skipped.push(`"${provider}": ${explainLoadError(errorText(error))}`);
    }
  }
  throw new Error(refusal(runtime, spec, skipped));
}

/** A path lets the runtime find data files beside the model; a digest holds only for the very bytes that were hashed. */
function modelSource(spec: SessionSpec): string | Uint8Array {
  try {
    if (spec.sha256 === null) {
      accessSync(spec.path, constants.R_OK);
      return spec.path;
    }
    const bytes = readFileSync(spec.path);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found === spec.sha256) return bytes;
    throw new Error(
      `the file ${spec.path} has the SHA-256 ${found}, but "sha256" in the config expects ${spec.sha256}. Deploy the expected file or change the config.`,
    );
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new Error(`the file ${spec.path} cannot be read (${String(error.code)}); "path" must name a readable ONNX file.`);
  }
}

function createSession(runtime: Runtime, source: string | Uint8Array, order: readonly string[]): Promise<InferenceSession> {
  // Unlisted names are dropped by the runtime with a warning, and the model would silently run on the next one.
  const listed = runtime.listSupportedBackends().map((backend) => backend.name);
  if (!listed.includes(order[0]!)) throw new Error('this build of onnxruntime-node does not know it');
  const options = { ...OPTIONS, executionProviders: order.filter((name) => listed.includes(name)) };
  // The two overloads cannot take the union.
  return typeof source === 'string'
    ? runtime.InferenceSession.create(source, options)
    : runtime.InferenceSession.create(source, options);
}

async function signatureOrRelease(session: InferenceSession): Promise<Signature> {
  try {
    return signatureOf(session);
  } catch (error) {
    await session.release();
    throw error;
  }
}

function refusal(runtime: Runtime, spec: SessionSpec, reasons: readonly string[]): string {
  const last = spec.providers[reasons.length - 1]!;
  const found = `the model ${spec.path} does not load on execution provider ${reasons.join('; ')}`;
  if (last === 'cpu') return found;
  const backends = runtime.listSupportedBackends();
  const bundled = backends.filter((backend) => backend.bundled).map((backend) => backend.name);
  const needing = backends.filter((backend) => !backend.bundled).map((backend) => backend.name);
  const extra = needing.length === 0 ? '' : `; ${needing.join(', ')} only with their libraries beside onnxruntime`;
  return `${found}. Available here: ${bundled.join(', ')}${extra}. Install what it needs, or put "cpu" last in "executionProviders" and set "fallback: true".`;
}
