import { ChannelCredentials, Client, type ClientOptions, type ServiceError } from '@grpc/grpc-js';
import { GrpcStatus } from '../../core/grpc-status.ts';
import { joined } from './call-parts.ts';
import type { CallOptions, GrpcChannel, GrpcChannelOptions, GrpcChannelTls, Question, StreamAnswers } from './grpc-channel.ts';
import { toMetadata } from './metadata.ts';
import { silencePackageLog } from './package-log.ts';
import { StreamedCall, type StreamSink } from './streamed-call.ts';
import { type UnaryCall, type UnarySink, WaitingCall } from './waiting-call.ts';

/** A channel on the package `@grpc/grpc-js`, the reference for all others. */
export class PackageChannel implements GrpcChannel {
  readonly #client: Client;
  readonly #connectTimeoutMs: number;
  #closed = false;

  constructor(options: GrpcChannelOptions) {
    silencePackageLog();
    this.#client = new Client(targetOf(options), credentialsOf(options.tls), packageOptions(options));
    this.#connectTimeoutMs = options.connectTimeoutMs;
  }

  unary(path: string, question: Question, options: CallOptions, sink: UnarySink): UnaryCall {
    if (this.#closed) {
      process.nextTick(endClosed, sink);
      return NO_CALL;
    }
    const waiting = new WaitingCall(this.#client.getChannel(), sink);
    const call = this.#client.makeUnaryRequest(
      path,
      identity,
      identity,
      joinedQuestion(question),
      toMetadata(options.headers),
      { deadline: deadlineOf(options) },
      (error: ServiceError | null, answer?: Buffer) => waiting.end(error, answer),
    );
    waiting.begin(call, this.#connectTimeoutMs);
    return waiting;
  }

  streamed(path: string, question: Question, options: CallOptions, sink: StreamSink): StreamAnswers {
    if (this.#closed) {
      process.nextTick(() => sink.onEnd(GrpcStatus.Unavailable, 'The channel is closed.', false, 0));
      return NO_ANSWERS;
    }
    const call = new StreamedCall(this.#client.getChannel(), path, deadlineOf(options), sink);
    call.begin(toMetadata(options.headers), joinedQuestion(question), this.#connectTimeoutMs);
    return call;
  }

  ready(timeoutMs: number): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#client.waitForReady(Date.now() + timeoutMs, (error?: Error) => resolve(error === undefined));
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.close();
  }
}

/** The package takes a message in one piece. */
const joinedQuestion = (question: Question): Buffer => (Buffer.isBuffer(question) ? question : joined(question));

const identity = (bytes: Buffer): Buffer => bytes;

const deadlineOf = (options: CallOptions): number => Date.now() + Math.max(1, Math.ceil(options.timeoutMs));

/** A call on a closed channel: over before it began. */
const NO_CALL: UnaryCall = { cancel: () => undefined };

const NO_ANSWERS: StreamAnswers = { read: () => undefined, cancel: () => undefined };

function endClosed(sink: UnarySink): void {
  sink.onStatus(GrpcStatus.Unavailable, 'The channel is closed.', false, 0);
}

function credentialsOf(tls: GrpcChannelTls | null): ChannelCredentials {
  return tls === null ? ChannelCredentials.createInsecure() : ChannelCredentials.createSsl(tls.ca, tls.key, tls.cert);
}

/** What is dialled. */
function targetOf({ address, ip }: GrpcChannelOptions): string {
  if (ip === '') return address;
  const port = address.slice(address.lastIndexOf(':'));
  return (ip.includes(':') ? `[${ip}]` : ip) + port;
}

/** Calls and certificates are about names, whatever address the name stood for. */
function namesOf({ address, ip, tls }: GrpcChannelOptions): ClientOptions {
  const override = tls?.serverName ?? null;
  if (override !== null) return { 'grpc.ssl_target_name_override': override, 'grpc.default_authority': override };
  if (ip === '') return {};
  const host = address.slice(0, address.lastIndexOf(':'));
  return { 'grpc.ssl_target_name_override': host, 'grpc.default_authority': address };
}

function packageOptions(options: GrpcChannelOptions): ClientOptions {
  return {
    'grpc.max_receive_message_length': options.maxMessageBytes,
    // What is sent has been bounded where it came in.
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    // A proxy named in the environment would see every request and the credential.
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
    // Shared connections would let one backend's close or keep-alive reach another's.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    // Servers count pings without data against a client and hang up at the third by default, so a call must be silent for three
    // times as long before these could cost a connection.
    'grpc.keepalive_time_ms': options.http2.keepAliveTimeMs,
    'grpc.keepalive_timeout_ms': options.http2.keepAliveTimeoutMs,
    'grpc.primary_user_agent': 'sluice',
    ...namesOf(options),
  };
}
