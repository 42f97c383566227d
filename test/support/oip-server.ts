import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  type ConnectionInjector,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import {
  type OipInferRequest,
  type OipSpec,
  type OipTensor,
  readInferRequest,
  readModelName,
  writeInferResponse,
  writeModelConfig,
  writeModelMetadata,
  writeReady,
  writeStreamResponse,
} from './oip-messages.ts';

/** A server of the Open Inference Protocol whose every answer a test decides. Plain or TLS, in this process, on a port of its own. */

export interface OipModel {
  readonly name: string;
  readonly inputs: readonly OipSpec[];
  readonly outputs: readonly OipSpec[];
  readonly versions?: readonly string[];
  readonly platform?: string;
  readonly ready?: boolean;
  /** It answers over streams alone, as often as `parts` says. */
  readonly decoupled?: boolean;
}

/** One inference as it came in. */
export interface OipCall extends OipInferRequest {
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds that were granted when it came; Infinity without a deadline. */
  readonly grantedMs: number;
  /** Where the connection comes from: host:port. */
  readonly peer: string;
}

type Parts = Iterable<readonly OipTensor[]> | AsyncIterable<readonly OipTensor[]>;

/** Metadata behind a status. */
export type Trailers = Readonly<Record<string, string>>;

export type OipAnswer =
  | { readonly is: 'outputs'; readonly outputs: readonly OipTensor[] }
  | { readonly is: 'status'; readonly code: number; readonly details: string; readonly trailers: Trailers }
  /** The answers of a decoupled model, and the status after them. */
  | { readonly is: 'parts'; readonly parts: Parts; readonly code: number; readonly details: string; readonly trailers: Trailers }
  /** Sent as they are in place of a message. */
  | { readonly is: 'bytes'; readonly bytes: Uint8Array }
  | { readonly is: 'hang' };

export interface OipServerOptions {
  readonly models: readonly OipModel[];
  /** Decides what an inference gets; a promise delays it. Without it outputs echo the inputs' bytes in order. */
  readonly onInfer?: (call: OipCall, model: OipModel) => OipAnswer | Promise<OipAnswer>;
  /** Sent in place of the metadata message. */
  readonly metadataBytes?: Uint8Array;
  /** A free one is taken when none is given. */
  readonly port?: number;
  /** `clientCa` has clients show a certificate that it has signed. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly clientCa?: Buffer };
}

export interface OipServer {
  /** host:port */
  readonly address: string;
  readonly port: number;
  /** Inferences in the order they came; the last thousand. */
  readonly calls: readonly OipCall[];
  /** Inferences ever. */
  readonly callCount: number;
  /** Answers written to streams. */
  readonly partsSent: number;
  /** Inferences that the client gave up before their answer. */
  readonly cancels: readonly OipCall[];
  /** When this server saw each of them, on its own clock: milliseconds of `performance.now`. */
  readonly cancelledAtMs: readonly number[];
  /** Resolves when so many inferences have come. */
  called(count: number): Promise<void>;
  /** Resolves when so many have been given up. */
  cancelled(count: number): Promise<void>;
  /** Resets every connection, as when its machine dies; new ones are taken. */
  dropConnections(): void;
  /** Resets every connection and stops listening. */
  close(): Promise<void>;
}

export const answerOutputs = (outputs: readonly OipTensor[]): OipAnswer => ({ is: 'outputs', outputs });
export const answerParts = (parts: Parts, code = 0, details = '', trailers: Trailers = {}): OipAnswer => ({
  is: 'parts',
  parts,
  code,
  details,
  trailers,
});
export const answerStatus = (code: number, details = '', trailers: Trailers = {}): OipAnswer => ({
  is: 'status',
  code,
  details,
  trailers,
});
export const answerBytes = (bytes: Uint8Array): OipAnswer => ({ is: 'bytes', bytes });
export const answerNever: OipAnswer = { is: 'hang' };

/** Each output gets the bytes and the shape of the input at its place. */
export function answerEcho(call: OipCall, model: OipModel): OipAnswer {
  return answerOutputs(
    model.outputs.map((output, i) => {
      const input = call.inputs[i] ?? call.inputs[0]!;
      return { name: output.name, datatype: output.datatype, shape: input.shape, data: input.data };
    }),
  );
}

/** An answer after so many milliseconds. */
export function answerAfter(delayMs: number, answer: OipAnswer): Promise<OipAnswer> {
  return new Promise((resolve) => setTimeout(resolve, delayMs, answer));
}

export async function startOipServer(options: OipServerOptions): Promise<OipServer> {
  const server = new ScriptedServer(options);
  await server.listen();
  return server;
}

const SERVICE = '/inference.GRPCInferenceService/';
const KEPT_CALLS = 1_000;

type Unary = ServerUnaryCall<Buffer, Buffer>;
type Reply = sendUnaryData<Buffer>;
type Bidi = ServerDuplexStream<Buffer, Buffer>;

class ScriptedServer implements OipServer {
  address = '';
  port = 0;
  callCount = 0;
  partsSent = 0;
  readonly calls: OipCall[] = [];
  readonly cancels: OipCall[] = [];
  readonly cancelledAtMs: number[] = [];
  readonly #options: OipServerOptions;
  readonly #server = new Server({ 'grpc.max_receive_message_length': -1 });
  // The sockets are its own, so that it can die like a process does: the package says goodbye to each client first.
  readonly #injector: ConnectionInjector;
  readonly #socketServer: NetServer;
  readonly #sockets = new Set<Socket>();
  #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: OipServerOptions) {
    this.#options = options;
    this.#injector = this.#server.createConnectionInjector(credentialsOf(options));
    this.#socketServer = createServer((socket) => this.#take(socket));
    this.#register('ServerLive', (_call, reply) => reply(null, writeReady(true)));
    this.#register('ServerReady', (_call, reply) => reply(null, writeReady(true)));
    this.#register('ModelReady', (call, reply) => this.#ready(call, reply));
    this.#register('ModelMetadata', (call, reply) => this.#metadata(call, reply));
    this.#register('ModelInfer', (call, reply) => void this.#infer(call, reply));
    this.#register('ModelConfig', (call, reply) => this.#config(call, reply));
    const asIs = (bytes: Buffer): Buffer => bytes;
    const onStream = (call: Bidi): void => void call.on('data', (message: Buffer) => void this.#stream(call, message));
    this.#server.register(`${SERVICE}ModelStreamInfer`, onStream, asIs, asIs, 'bidi');
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socketServer.once('error', reject);
      this.#socketServer.listen(this.#options.port ?? 0, '127.0.0.1', () => {
        this.port = (this.#socketServer.address() as AddressInfo).port;
        this.address = `127.0.0.1:${this.port}`;
        resolve();
      });
    });
  }

  called(count: number): Promise<void> {
    return this.#until(() => this.callCount >= count);
  }

  cancelled(count: number): Promise<void> {
    return this.#until(() => this.cancels.length >= count);
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): Promise<void> {
    this.dropConnections();
    this.#server.forceShutdown();
    return new Promise((resolve) => this.#socketServer.close(() => resolve()));
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#injector.injectConnection(socket);
  }

  #register(method: string, handler: (call: Unary, reply: Reply) => void): void {
    const asIs = (bytes: Buffer): Buffer => bytes;
    this.#server.register(SERVICE + method, handler, asIs, asIs, 'unary');
  }

  #ready(call: Unary, reply: Reply): void {
    const model = this.#modelNamed(readModelName(call.request).name, reply);
    if (model !== undefined) reply(null, writeReady(model.ready ?? true));
  }

  #metadata(call: Unary, reply: Reply): void {
    const model = this.#modelNamed(readModelName(call.request).name, reply);
    if (model === undefined) return;
    const { name, inputs, outputs, versions = ['1'], platform = 'test' } = model;
    const stated = this.#options.metadataBytes;
    reply(null, stated === undefined ? writeModelMetadata({ name, versions, platform, inputs, outputs }) : Buffer.from(stated));
  }

  #config(call: Unary, reply: Reply): void {
    const model = this.#modelNamed(readModelName(call.request).name, reply);
    if (model !== undefined) reply(null, writeModelConfig(model.name, model.decoupled ?? false));
  }

  /** One request of a stream; it ends with its answers, as a client that asks once a stream expects. */
  async #stream(call: Bidi, message: Buffer): Promise<void> {
    const seen = callSeen(call, message);
    let over = false;
    call.on('cancelled', () => {
      if (over) return;
      over = true;
      this.cancelledAtMs.push(performance.now());
      this.#note(this.cancels, seen);
    });
    this.callCount++;
    this.#note(this.calls, seen);
    const model = this.#options.models.find(({ name }) => name === seen.model)!;
    const answer = await (this.#options.onInfer ?? answerEcho)(seen, model);
    if (answer.is === 'bytes') call.write(Buffer.from(answer.bytes));
    if (answer.is !== 'parts') return;
    for await (const outputs of answer.parts) {
      if (over) return;
      this.partsSent++;
      if (!call.write(writeStreamResponse(seen, outputs, false))) await new Promise((resolve) => call.once('drain', resolve));
    }
    over = true;
    if (answer.code === status.OK) {
      call.write(writeStreamResponse(seen, [], true));
      call.end();
    } else call.emit('error', failure(answer.code, answer.details, answer.trailers));
  }

  async #infer(call: Unary, reply: Reply): Promise<void> {
    const seen = callSeen(call, call.request);
    let answered = false;
    call.on('cancelled', () => {
      // The package also says "cancelled" once an answer has left.
      if (answered) return;
      this.cancelledAtMs.push(performance.now());
      if (this.cancelledAtMs.length > KEPT_CALLS) this.cancelledAtMs.shift();
      this.#note(this.cancels, seen);
    });
    this.callCount++;
    this.#note(this.calls, seen);
    const model = this.#modelNamed(seen.model, reply);
    if (model === undefined) return;
    const answer = await (this.#options.onInfer ?? answerEcho)(seen, model);
    if (call.cancelled || answer.is === 'hang') return;
    answered = true;
    if (answer.is === 'parts') reply(failure(status.UNIMPLEMENTED, 'a decoupled model answers over streams'));
    else if (answer.is === 'outputs') reply(null, writeInferResponse(seen.model, seen.version, seen.id, answer.outputs));
    else if (answer.is === 'bytes') reply(null, Buffer.from(answer.bytes));
    else reply(failure(answer.code, answer.details, answer.trailers));
  }

  #modelNamed(name: string, reply: Reply): OipModel | undefined {
    const model = this.#options.models.find((candidate) => candidate.name === name);
    if (model === undefined) reply(failure(status.NOT_FOUND, `model "${name}" is not known here`));
    return model;
  }

  #note(list: OipCall[], call: OipCall): void {
    list.push(call);
    if (list.length > KEPT_CALLS) list.shift();
    const met = this.#waiting.filter((waiting) => waiting.done());
    this.#waiting = this.#waiting.filter((waiting) => !met.includes(waiting));
    for (const waiting of met) waiting.resolve();
  }

  #until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }
}

function callSeen(call: Unary | Bidi, message: Buffer): OipCall {
  return {
    ...readInferRequest(message),
    metadata: call.metadata.getMap() as Record<string, string>,
    grantedMs: Number(call.getDeadline()) - Date.now(),
    peer: call.getPeer(),
  };
}

function credentialsOf({ tls }: OipServerOptions): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, clientCa = null } = tls;
  return ServerCredentials.createSsl(clientCa, [{ cert_chain: cert, private_key: key }], clientCa !== null);
}

function failure(code: number, details: string, trailers: Trailers = {}): Partial<ServiceError> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value);
  return { code, details, metadata };
}
