/**
 * An Open Inference Protocol server on @grpc/grpc-js whose every answer is made at start: the backend of the gRPC rows, and their peer
 * when it is asked directly.
 */

import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { encodeInferResponse } from '../src/wire/oip/infer-response.ts';
import { decodeModelNameRequest, encodeModelMetadata, encodeReady } from '../src/wire/oip/server-messages.ts';
import { type BodyName, FIXED_OUTPUTS, SIGNATURES } from './bodies.ts';
import { serveAsCompanion } from './companion-side.ts';

type Call = ServerUnaryCall<Buffer, Buffer>;
type Give = sendUnaryData<Buffer>;

const BODIES: readonly BodyName[] = ['small', 'digit'];
const ANSWERS = new Map(
  BODIES.map((model) => [model, encodeInferResponse({ model, version: '', id: '', outputs: FIXED_OUTPUTS[model] })]),
);
const READY = encodeReady(true);
/** The first field of the request is the model's name: a tag, its length, and its letters. */
const NAME_AT = 2;

let answered = 0;

serveAsCompanion(listen, () => answered);

function listen(): Promise<number> {
  const server = new Server();
  const asIs = (bytes: Buffer): Buffer => bytes;
  const on = (method: string, handler: (call: Call, give: Give) => void): void => {
    server.register(`/inference.GRPCInferenceService/${method}`, handler, asIs, asIs, 'unary');
  };
  on('ModelInfer', infer);
  on('ModelMetadata', (call, give) => give(null, metadata(call.request)));
  on('ModelReady', (_call, give) => give(null, READY));
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

function infer({ request }: Call, give: Give): void {
  answered++;
  const model = request.toString('latin1', NAME_AT, NAME_AT + request[1]!) as BodyName;
  give(null, ANSWERS.get(model)!);
}

function metadata(request: Buffer): Buffer {
  const asked = decodeModelNameRequest(request);
  if (typeof asked === 'string') throw new Error(asked);
  return encodeModelMetadata({ name: asked.name, versions: [], ...SIGNATURES[asked.name as BodyName] });
}
