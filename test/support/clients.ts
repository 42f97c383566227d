import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import type { GatewayUnderTest } from './gateway-under-test.ts';

/** Callers as applications have them: REST by fetch, gRPC by grpc-js with messages from the committed .proto. */

export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface RestInput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}

/** One REST inference. */
export async function inferRest(
  gateway: GatewayUnderTest,
  options: {
    readonly key: string;
    readonly model: string;
    readonly inputs: readonly RestInput[];
    readonly id?: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
    readonly headers?: Record<string, string>;
  },
): Promise<RestAnswer> {
  const { id, parameters, inputs } = options;
  const response = await fetch(`${gateway.httpUrl}/v2/models/${options.model}/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${options.key}`, 'content-type': 'application/json', ...options.headers },
    body: JSON.stringify({ id, parameters, inputs }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

const root = protobuf.parse(readFileSync(join(import.meta.dirname, '../../proto/open_inference_grpc.proto'), 'utf8'), {
  keepCase: true,
}).root;
/** A message type of the committed .proto. */
export const grpcType = (name: string): protobuf.Type => root.lookupType(`inference.${name}`);

export interface GrpcAnswer {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
  readonly message: Record<string, unknown>;
}

/** A gRPC caller with one connection. */
export class GrpcCaller {
  readonly #client: Client;
  readonly #key: string;

  constructor(address: string, key: string) {
    this.#client = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
    this.#key = key;
  }

  /** Calls `method` of the inference service; never rejects. `onCall` gets a way to cancel. */
  call(
    method: string,
    request: object,
    metadata: Readonly<Record<string, string>> = {},
    onCall?: (cancel: () => void) => void,
  ): Promise<GrpcAnswer> {
    const sent = new Metadata();
    if (this.#key !== '') sent.set('authorization', `Bearer ${this.#key}`);
    for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
    const requestType = grpcType(`${method}Request`);
    const bytes = Buffer.from(requestType.encode(requestType.fromObject(request)).finish());
    return new Promise((done) => {
      let received = new Metadata();
      const call = this.#client.makeUnaryRequest(
        `/inference.GRPCInferenceService/${method}`,
        (value: Buffer) => value,
        (value: Buffer) => value,
        bytes,
        sent,
        (error: ServiceError | null, value?: Buffer) => {
          if (error !== null) {
            done({ code: error.code, details: error.details, metadata: error.metadata, message: {} });
            return;
          }
          const responseType = grpcType(`${method}Response`);
          const message = responseType.toObject(responseType.decode(value!), { longs: Number, defaults: true });
          done({ code: 0, details: '', metadata: received, message });
        },
      );
      call.on('metadata', (value: Metadata) => {
        received = value;
      });
      onCall?.(() => call.cancel());
    });
  }

  /** One inference with raw contents. */
  infer(
    model: string,
    inputs: readonly { name: string; datatype: string; shape: readonly number[]; raw: Buffer }[],
    more: object = {},
  ): Promise<GrpcAnswer> {
    return this.call('ModelInfer', {
      model_name: model,
      inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
      raw_input_contents: inputs.map(({ raw }) => raw),
      ...more,
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** Raw outputs of an answer by tensor name. */
export function rawOutputs(answer: GrpcAnswer): Record<string, Buffer> {
  const outputs = answer.message['outputs'] as readonly { readonly name: string }[];
  const raw = answer.message['raw_output_contents'] as readonly Buffer[];
  return Object.fromEntries(outputs.map((output, i) => [output.name, Buffer.from(raw[i]!)]));
}
