/** The "client under test" of connectrpc/conformance on our client: calls with one question, and one answer or many. */

import { http2Backend } from '../../../src/config/http2-schema.ts';
import type { StreamAnswers } from '../../../src/wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../../../src/wire/grpc/open-channel.ts';
import type { UnaryCall } from '../../../src/wire/grpc/waiting-call.ts';
import { type AnyMessage, decode, encode, type Header, pairsOf, readMessages, writeMessage } from './conformance-messages.ts';

interface Order {
  readonly testName: string;
  readonly host: string;
  readonly port: number;
  readonly serverTlsCert: Uint8Array;
  readonly clientTlsCreds: { readonly cert: Uint8Array; readonly key: Uint8Array } | null;
  readonly messageReceiveLimit: number;
  readonly service: string;
  readonly method: string;
  readonly streamType: number;
  readonly requestHeaders: readonly Header[];
  readonly requestMessages: readonly AnyMessage[];
  readonly timeoutMs?: number;
  readonly cancel: { readonly afterCloseSendMs?: number; readonly afterNumResponses?: number } | null;
}

const UNARY = 1;
const INTERNAL = 13;
const UNLIMITED = 64_000_000;
/** Our calls always have a deadline. */
const LONG_MS = 60_000;

readMessages(
  (bytes) => ask(decode<Order>('ClientCompatRequest', bytes)),
  () => undefined,
);
process.on('SIGTERM', () => process.exit(0));

function ask(order: Order): void {
  const channel = openGrpcChannel('own', {
    address: `${order.host}:${order.port}`,
    ip: '',
    tls: tlsOf(order),
    maxMessageBytes: order.messageReceiveLimit || UNLIMITED,
    connectTimeoutMs: 10_000,
    http2: http2Backend.parse({}),
  });
  const payloads: object[] = [];
  let told = false;
  const tell = (code: number, message: string): void => {
    if (told) return;
    told = true;
    const error = code === 0 ? {} : { error: { code, message } };
    writeMessage(encode('ClientCompatResponse', { testName: order.testName, response: { payloads, ...error } }));
    channel.close();
  };
  /** False where it is no message of the method. */
  const take = (bytes: Buffer): boolean => {
    try {
      const { payload } = decode<{ payload: object | null }>(`${order.method}Response`, bytes);
      payloads.push(payload ?? {});
      return true;
    } catch {
      tell(INTERNAL, 'The answer cannot be read.');
      return false;
    }
  };
  const path = `/${order.service}/${order.method}`;
  const question = Buffer.from(order.requestMessages[0]?.value ?? []);
  const options = { headers: pairsOf(order.requestHeaders), timeoutMs: order.timeoutMs ?? LONG_MS };
  const { cancel } = order;
  const cancelsAfter = cancel?.afterNumResponses ?? 0;
  const call = order.streamType === UNARY ? askOnce() : askStreamed();
  if (cancel !== null && cancelsAfter === 0) setTimeout(() => call.cancel(), cancel.afterCloseSendMs ?? 0);

  function askOnce(): UnaryCall {
    const onAnswer = (message: Buffer): void => {
      if (take(message)) tell(0, '');
    };
    return channel.unary(path, question, options, { onAnswer, onStatus: tell });
  }

  function askStreamed(): StreamAnswers {
    const onMessage = (message: Buffer): void => {
      if (!take(message)) answers.cancel();
      else if (cancelsAfter > 0 && payloads.length === cancelsAfter) answers.cancel();
      else answers.read();
    };
    const answers = channel.streamed(path, question, options, { onMessage, onEnd: tell });
    return answers;
  }
}

function tlsOf({ serverTlsCert, clientTlsCreds }: Order): Parameters<typeof openGrpcChannel>[1]['tls'] {
  if (serverTlsCert.length === 0) return null;
  return {
    ca: Buffer.from(serverTlsCert),
    cert: clientTlsCreds === null ? null : Buffer.from(clientTlsCreds.cert),
    key: clientTlsCreds === null ? null : Buffer.from(clientTlsCreds.key),
    serverName: null,
  };
}
