/** The rows of the benchmark, each with its load and with the count that the server under test keeps itself. */

import { Scrape } from '../scripts/demo/scrape.ts';
import type { SluiceProcess } from '../scripts/demo/sluice-process.ts';
import type { InferenceRequest } from '../src/core/inference.ts';
import { encodeInferRequest } from '../src/wire/oip/infer-request.ts';
import { modelFor, TENANT, type Way } from './bench-config.ts';
import type { BodyName, Question } from './bodies.ts';
import type { Companion } from './companion.ts';
import { grpcLoad } from './grpc-load.ts';
import type { Load } from './load.ts';
import { restLoad } from './rest-load.ts';

export interface BenchCase {
  readonly face: 'rest' | 'grpc';
  readonly way: Way | 'peer';
  readonly body: BodyName;
  /** Process under test. */
  readonly pid: number;
  /** Asks the first question, which also fills the cache. */
  readonly begin: () => Promise<{ readonly load: Load; readonly close: () => void }>;
  /** Good answers so far, by the count of the process under test. */
  readonly counted: () => Promise<number>;
}

export const nameOf = ({ face, way, body }: BenchCase): string => `${face} ${way} ${body}`;

const WAYS: readonly { readonly face: 'rest' | 'grpc'; readonly way: Way; readonly body: BodyName }[] = [
  { face: 'rest', way: 'cache', body: 'small' },
  { face: 'rest', way: 'grpc', body: 'small' },
  { face: 'rest', way: 'cache', body: 'digit' },
  { face: 'rest', way: 'onnx', body: 'digit' },
  { face: 'rest', way: 'grpc', body: 'digit' },
  { face: 'grpc', way: 'cache', body: 'digit' },
  { face: 'grpc', way: 'grpc', body: 'digit' },
];

type Questions = Readonly<Record<BodyName, Question>>;

/** `pid` is that of the gateway's worker: its supervisor takes no part in a request. */
export function gatewayCases(gateway: SluiceProcess, pid: number, questions: Questions): BenchCase[] {
  const key = gateway.key(TENANT.id, TENANT.keyId);
  return WAYS.map(({ face, way, body }) => {
    const model = modelFor(way, body);
    const begin =
      face === 'rest' ? beginRest(gateway, model, key, questions[body]) : beginGrpc(gateway, model, key, questions[body]);
    return { face, way, body, pid, begin, counted: () => countAnswers(gateway, face, way, model) };
  });
}

/** The same questions to a server that does nothing but answer. */
export function peerCases(http: Companion, oip: Companion, questions: Questions): BenchCase[] {
  const rest = (body: BodyName): BenchCase => {
    const url = `http://127.0.0.1:${http.port}/${body}`;
    const headers = { 'content-type': 'application/json' };
    const begin = async () => ({ ...(await restLoad({ url, headers, body: questions[body].json })), close: nothing });
    return { face: 'rest', way: 'peer', body, pid: http.pid, begin, counted: () => http.count() };
  };
  const message = messageOf('digit', questions.digit);
  const begin = () => grpcLoad({ address: `127.0.0.1:${oip.port}`, key: '', message });
  const grpc: BenchCase = { face: 'grpc', way: 'peer', body: 'digit', pid: oip.pid, begin, counted: () => oip.count() };
  return [rest('small'), rest('digit'), grpc];
}

function beginRest(gateway: SluiceProcess, model: string, key: string, question: Question): BenchCase['begin'] {
  const url = `${gateway.httpUrl}/v2/models/${model}/infer`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  return async () => ({ ...(await restLoad({ url, headers, body: question.json })), close: nothing });
}

function beginGrpc(gateway: SluiceProcess, model: string, key: string, question: Question): BenchCase['begin'] {
  return () => grpcLoad({ address: gateway.grpcAddress, key, message: messageOf(model, question) });
}

function messageOf(model: string, { input }: Question): Buffer {
  const { name, datatype, shape, bytes } = input;
  const inputs = [{ name, datatype, shape, data: bytes }];
  const request: InferenceRequest = {
    task: 'predict',
    model,
    version: '',
    id: '',
    params: new Map(),
    inputs,
    wanted: [],
    timeoutUs: 0,
    sequenceId: '',
  };
  return encodeInferRequest(request, model, '');
}

/** The least of what the gateway has answered and of what it did for it: a hit that was no hit, or a call not made, voids a row. */
async function countAnswers(gateway: SluiceProcess, face: string, way: Way, model: string): Promise<number> {
  const scrape = await Scrape.of(gateway.adminUrl);
  const answered = scrape.sum('sluice_requests_total', { face: face === 'rest' ? 'http' : 'grpc', model, outcome: 'ok' });
  const done =
    way === 'cache'
      ? scrape.sum('sluice_cache_requests_total', { model, result: 'hit' })
      : scrape.sum('sluice_backend_attempts_total', { model, code: 'OK' });
  return Math.min(answered, done);
}

const nothing = (): void => undefined;
