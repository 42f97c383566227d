/** Sends errands as an application does over gRPC: @grpc/grpc-js with raw tensor contents. */

import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { InferenceRequest } from '../../src/core/inference.ts';
import { encodeInferRequest } from '../../src/wire/oip/infer-request.ts';
import { decodeInferResponse } from '../../src/wire/oip/infer-response.ts';
import { CALL_LIMIT_MS, type Caller, type Errand, type Outcome } from './errand.ts';

const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';
const asIs = (bytes: Buffer): Buffer => bytes;

export class GrpcCaller implements Caller {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  send(errand: Errand): Promise<Outcome> {
    const message = encodeInferRequest(requestOf(errand), errand.model, '');
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      let received = new Metadata();
      const onEnd = (error: ServiceError | null, answer?: Buffer): void => {
        const latencyMs = performance.now() - startedMs;
        if (error === null) resolve(answered(errand, received, answer!, latencyMs));
        else if (error.metadata.get('x-sluice-fault').length > 0) resolve(refused(errand, error, latencyMs));
        else reject(error);
      };
      const call = this.#client.makeUnaryRequest(MODEL_INFER, asIs, asIs, message, metadataOf(errand), optionsNow(), onEnd);
      call.on('metadata', (metadata: Metadata) => {
        received = metadata;
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

const optionsNow = (): { readonly deadline: number } => ({ deadline: Date.now() + CALL_LIMIT_MS });

function metadataOf(errand: Errand): Metadata {
  const metadata = new Metadata();
  if (errand.key !== '') metadata.set('authorization', `Bearer ${errand.key}`);
  metadata.set('x-sluice-session', errand.caller);
  return metadata;
}

function requestOf(errand: Errand): InferenceRequest {
  const { name, datatype, shape, bytes } = errand.input;
  const inputs = [{ name, datatype, shape, data: bytes }];
  return {
    task: 'predict',
    model: errand.model,
    version: '',
    id: '',
    params: new Map(),
    inputs,
    wanted: [],
    timeoutUs: 0,
    sequenceId: '',
  };
}

function answered(errand: Errand, metadata: Metadata, message: Buffer, latencyMs: number): Outcome {
  const answer = decodeInferResponse(message);
  if (typeof answer === 'string') throw new Error(`The gateway's gRPC answer cannot be read: ${answer}`);
  const field = (name: string): string => String(metadata.get(name)[0] ?? '');
  const label = answer.outputs.find((output) => output.name === 'label')!.data;
  return {
    errand,
    status: 'OK',
    fault: '',
    message: '',
    variant: field('x-sluice-variant'),
    cache: field('x-sluice-cache'),
    costNano: Number(field('x-sluice-cost-nano-usd')),
    label: Number(Buffer.from(label).readBigInt64LE()),
    latencyMs,
  };
}

function refused(errand: Errand, error: ServiceError, latencyMs: number): Outcome {
  const fault = String(error.metadata.get('x-sluice-fault')[0]);
  const outcome = { variant: '', cache: '', costNano: 0, label: -1, latencyMs };
  return { errand, status: status[error.code]!, fault, message: error.details, ...outcome };
}
