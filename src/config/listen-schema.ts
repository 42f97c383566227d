import { z } from 'zod';
import { adminToken } from './admin-token-schema.ts';
import { bytes, count, port, secret, timeoutMs } from './fields.ts';
import { http2Listen } from './http2-schema.ts';

/** The three faces and their limits. */

const certificate = z.strictObject({
  certFile: z.string().describe('PEM file with the certificate chain.'),
  keyFile: z.string().describe('PEM file with the private key.'),
});

const TLS_TEXT = 'Serve over TLS (1.2 or later); null serves plaintext.';
const tls = certificate.nullable().default(null).describe(TLS_TEXT);

/** Callers may have to show a certificate; who they are is still a matter of their key. */
const callerTls = certificate
  .extend({
    clientCaFile: z
      .string()
      .nullable()
      .default(null)
      .describe('PEM file of the authorities one of which must have signed the certificate of a client; null asks for none.'),
  })
  .nullable()
  .default(null)
  .describe(TLS_TEXT);

export const httpListen = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address to listen on.'),
  port: port.default(8080).describe('Port; 0 takes a free one.'),
  tls: callerTls,
  maxConnections: count.default(10_000).describe('Connections at the same time; the newest is refused beyond it.'),
  maxHeaderBytes: bytes.default(16_384).describe('Bytes of all header fields of a request.'),
  headersTimeoutMs: timeoutMs.default(10_000).describe('Time for a client to send its header fields.'),
  bodyTimeoutMs: timeoutMs.default(30_000).describe('Time for a client to send a whole request.'),
  writeStallMs: timeoutMs.default(30_000).describe('Time a client may take no byte of its answer before it is dropped.'),
  keepAliveTimeoutMs: timeoutMs.default(65_000).describe('Time an idle connection is kept.'),
  maxRequestsPerConnection: z.int().min(0).default(0).describe('Requests before a connection is closed; 0 sets no limit.'),
});

export const grpcListen = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address to listen on.'),
  port: port.default(8081).describe('Port; 0 takes a free one.'),
  tls: callerTls,
  maxConnections: count.default(10_000).describe('Connections at the same time; the newest is refused beyond it.'),
  maxConcurrentStreams: count.default(256).describe('Calls at the same time on one connection.'),
  maxConnectionIdleMs: timeoutMs.default(300_000).describe('Time an idle connection is kept.'),
  keepAliveTimeMs: timeoutMs.default(60_000).describe('Interval of keep-alive pings to clients.'),
  keepAliveTimeoutMs: timeoutMs.default(20_000).describe('Time for a client to answer a ping.'),
  writeStallMs: timeoutMs.default(30_000).describe('Time a client may take no byte of its answer before it is dropped.'),
  maxMetadataBytes: bytes.default(16_384).describe('Bytes of all metadata of a call.'),
  maxStreams: count.default(1_024).describe('Bidirectional streams at the same time, in this process.'),
  maxStreamInFlight: z
    .int()
    .min(1)
    .max(1_024)
    .default(64)
    .describe('Requests in flight on one stream; beyond it nothing more is read until an answer has left.'),
  maxStreamIdleMs: timeoutMs.default(300_000).describe('Time a stream with nothing in flight is kept.'),
  maxHealthWatches: count.default(1_024).describe('Calls of grpc.health.v1 Watch at the same time; they need no credential.'),
  reflection: z.boolean().default(false).describe('Serve server reflection, to callers with a credential.'),
  engine: z
    .enum(['own', 'grpc-js'])
    .default('own')
    .describe('What speaks HTTP/2 to clients: own is the engine of this gateway, grpc-js the package.'),
  http2: http2Listen.prefault({}).describe('Limits of one HTTP/2 connection, for the engine own.'),
});

export const adminListen = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address to listen on.'),
  port: port.default(8082).describe('Port; 0 takes a free one.'),
  tls,
  token: secret.describe('The token of the owner, who may do everything, sent as a bearer token; at least 16 characters.'),
  tokens: z.array(adminToken).max(1_000).default([]).describe('Further tokens, each with a name and a role.'),
  maxBodyBytes: bytes.default(1_048_576).describe('Bytes of an admin request body.'),
  maxRequestsPerSecond: count
    .default(100)
    .describe(
      'Requests a second, with a token and without a good one counted apart; what comes beyond waits a second and gets 429.',
    ),
  maxIssuedKeys: count
    .max(100_000)
    .default(1_000)
    .describe('API keys issued over this port that are kept; where there are as many, no more are issued.'),
  allowedHosts: z.array(z.string()).default([]).describe('Host header values accepted besides loopback names.'),
});

export const listen = z.strictObject({
  http: httpListen.prefault({}),
  grpc: grpcListen.prefault({}),
  admin: adminListen,
});

export type HttpListenConfig = z.output<typeof httpListen>;
export type GrpcListenConfig = z.output<typeof grpcListen>;
export type AdminListenConfig = z.output<typeof adminListen>;
