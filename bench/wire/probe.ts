/** Beside load whose answers nobody looks at: one question in a thousand, whose answer is decoded and compared. */

import { http2Backend } from '../../src/config/http2-schema.ts';
import { GrpcStatus } from '../../src/core/grpc-status.ts';
import type { GrpcChannel } from '../../src/wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../../src/wire/grpc/open-channel.ts';
import { INFER, messageOf, QUESTION, restPath, whyStrange, whyStrangeJson } from './fixed-answers.ts';
import { type Load, runH2load } from './h2load.ts';
import { VoidRow } from './row.ts';

/** Asks once; rejects with VoidRow when the answer is not the right one. */
export type Probe = () => Promise<void>;

const SHARE = 1 / 1_000;
/** So that they fall all over the run. */
const PAUSE_MS = 20;
const TIMEOUT_MS = 10_000;
const MAX_MESSAGE_BYTES = 1_048_576;
const CONNECT_TIMEOUT_MS = 2_000;

/** Runs the load with probes beside it; resolves with the questions asked in all, each of them answered. Rejects with VoidRow. */
export async function loadAndProbe(load: Load, probe: Probe, launcher: readonly string[]): Promise<number> {
  let running = true;
  let asked = 0;
  const loading = runH2load(load, launcher).finally(() => {
    running = false;
  });
  loading.catch(() => undefined);
  while (running || asked < load.calls * SHARE) {
    await probe();
    asked++;
    await new Promise((done) => setTimeout(done, running ? PAUSE_MS : 0));
  }
  const { answered } = await loading;
  if (answered !== load.calls) throw new VoidRow(`h2load has asked ${load.calls} times and heard ${answered} good answers`);
  return load.calls + asked;
}

/** One connection; `credential` is left out where it is empty. */
export function grpcProbe(
  port: number,
  model: string,
  credential: string,
): { readonly probe: Probe; readonly close: () => void } {
  const channel: GrpcChannel = openGrpcChannel('own', {
    address: `127.0.0.1:${port}`,
    ip: '',
    tls: null,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    http2: http2Backend.parse({}),
  });
  const headers = credential === '' ? [] : ['authorization', `Bearer ${credential}`];
  const question = messageOf(model);
  const probe = (): Promise<void> =>
    new Promise((resolve, reject) => {
      channel.unary(
        INFER,
        question,
        { headers, timeoutMs: TIMEOUT_MS },
        {
          onAnswer: (message) => {
            const why = whyStrange(message);
            if (why === '') resolve();
            else reject(new VoidRow(`an answer of ${model} is not the right one: ${why}`));
          },
          onStatus: (status, details) =>
            reject(new VoidRow(`a call of ${model} ended with status ${status} (${details}); expected ${GrpcStatus.Ok}`)),
        },
      );
    });
  return { probe, close: () => channel.close() };
}

export function restProbe(port: number, model: string, headers: Readonly<Record<string, string>>): Probe {
  return async () => {
    const response = await fetch(`http://127.0.0.1:${port}${restPath(model)}`, {
      method: 'POST',
      headers,
      body: QUESTION.json,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    const why = response.ok ? whyStrangeJson(text) : `status ${response.status}, ${text}`;
    if (why !== '') throw new VoidRow(`an answer of ${model} is not the right one: ${why}`);
  };
}
