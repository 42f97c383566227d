import { createRequire } from 'node:module';

/** Loads onnxruntime-node, which is an optional dependency, and only where a model is to be run. */
export type Runtime = typeof import('onnxruntime-node');

/** The package is not there, or not for this platform. */
export class RuntimeMissing extends Error {
  override readonly name = 'RuntimeMissing';
}

/** For threads that run models only: it takes away a global of the thread that calls it. */
export async function loadRuntime(): Promise<Runtime> {
  // onnxruntime-common hands FP16 over as Float16Array where there is one, and the native half of 1.30 takes only Uint16Array:
  // "not enough space: expected 8, got 0". Without the global it uses Uint16Array.
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    const runtime = await import('onnxruntime-node');
    // Errors come back as exceptions; the runtime would write each one to stderr as well, with what a caller sent in it.
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (error) {
    throw new RuntimeMissing(missingText(error), { cause: error });
  }
}

function missingText(error: unknown): string {
  const found = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error);
  const advice = installed()
    ? `it is installed but does not load on ${process.platform}-${process.arch}`
    : 'install it with "npm install onnxruntime-node@1.30.0"';
  return `ONNX models need the optional package onnxruntime-node; ${advice} (found: ${found}).`;
}

function installed(): boolean {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}
