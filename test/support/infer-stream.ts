import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { StreamCall, StreamCaller } from './stream-caller.ts';

/** A caller of ModelStreamInfer with messages from the committed .proto. */

const root = protobuf.parse(readFileSync(join(import.meta.dirname, '../../proto/open_inference_grpc.proto'), 'utf8'), {
  keepCase: true,
}).root;
const REQUEST = root.lookupType('inference.ModelInferRequest');
const RESPONSE = root.lookupType('inference.ModelStreamInferResponse');
const PATH = '/inference.GRPCInferenceService/ModelStreamInfer';

export interface StreamAnswer {
  /** Empty for an answer. */
  readonly error: string;
  readonly id: string;
  readonly parameters: Readonly<Record<string, string | boolean>>;
  /** The whole ModelInferResponse. */
  readonly response: Readonly<Record<string, unknown>>;
}

export class InferStream {
  readonly call: StreamCall;

  /** Without a key there is no credential at all. */
  constructor(caller: StreamCaller, key: string, fields: Readonly<Record<string, string>> = {}, timeoutMs = 0) {
    const credential = key === '' ? {} : { authorization: `Bearer ${key}` };
    this.call = caller.open(PATH, { ...credential, ...fields }, timeoutMs);
  }

  send(request: object): void {
    this.call.write(REQUEST.encode(REQUEST.fromObject(request)).finish());
  }

  end(): void {
    this.call.end();
  }

  get answers(): readonly StreamAnswer[] {
    return this.call.received.map(readAnswer);
  }

  /** Waits for so many answers and gives them by id. */
  async answersById(count: number): Promise<ReadonlyMap<string, StreamAnswer>> {
    await this.call.messages(count);
    return new Map(this.answers.map((answer) => [answer.id, answer]));
  }
}

function readAnswer(bytes: Buffer): StreamAnswer {
  const plain = RESPONSE.toObject(RESPONSE.decode(bytes), { longs: Number, defaults: true });
  const response = plain['infer_response'] as Record<string, unknown>;
  const parameters = response['parameters'] as Record<string, Record<string, string | boolean>>;
  return {
    error: plain['error_message'] as string,
    id: response['id'] as string,
    parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, Object.values(value)[0]!])),
    response,
  };
}
