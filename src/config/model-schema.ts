import { z } from 'zod';
import { comparison } from './comparison-schema.ts';
import { endpointKeys, grpcEndpoints, httpEndpoints } from './endpoint-schema.ts';
import { bytes, count, name, percent, secret, timeoutMs, usd } from './fields.ts';
import { guard } from './guard-schema.ts';
import { http2Backend } from './http2-schema.ts';
import { adaptive, hedge, queue, retries } from './overload-schema.ts';
import { fallbacks, pins } from './plan-schema.ts';
import { riskTier, rollout } from './rollout-schema.ts';

/** Models: their variants, backends, prices and what narrows their signature. */

export const batching = z.strictObject({
  maxRows: count.max(4_096).default(32).describe('Rows that share one run at most.'),
  maxDelayUs: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe('Time a row waits for others while a thread is idle, microseconds.'),
});

export const onnxBackend = z.strictObject({
  kind: z.literal('onnx'),
  path: z.string().min(1).describe('The ONNX file, relative to the config file.'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
    .nullable()
    .default(null)
    .describe('Digest the file must have; null skips the check.'),
  executionProviders: z
    .array(z.enum(['cpu', 'cuda', 'webgpu', 'tensorrt']))
    .min(1)
    .default(['cpu'])
    .describe('Execution providers in order of preference.'),
  fallback: z
    .boolean()
    .default(false)
    .describe('Use the next execution provider when one cannot load, rather than refuse the model.'),
  batching: batching.nullable().default(null).describe('Let rows of several requests share a run; null runs each alone.'),
  maxQueueRows: count.default(4_096).describe('Rows waiting for a thread; more are refused.'),
});

/** TLS towards a backend. */
const serverTls = z.strictObject({
  caFile: z.string().nullable().default(null).describe('PEM file of the authority; null takes the system ones.'),
  certFile: z.string().nullable().default(null).describe('PEM file of the client certificate.'),
  keyFile: z.string().nullable().default(null).describe('PEM file of its private key.'),
  serverName: z.string().nullable().default(null).describe('Name the server certificate must have; null is the host.'),
});

export const grpcBackend = z.strictObject({
  kind: z.literal('grpc'),
  endpoints: grpcEndpoints,
  model: name.nullable().default(null).describe('Name of the model there; null is the same name as here.'),
  version: z.string().max(64).default('').describe('Version to ask for there; empty leaves it to the server.'),
  tls: serverTls.nullable().default(null).describe('Speak TLS; null is plaintext.'),
  credential: secret.nullable().default(null).describe('Sent as a bearer token.'),
  maxMessageBytes: bytes.default(67_108_864).describe('Largest answer taken.'),
  adaptive: adaptive
    .nullable()
    .prefault({})
    .describe(
      'Let in as many calls as its latency shows that it takes, up to maxInFlight of the variant; null always lets in those.',
    ),
  connectTimeoutMs: timeoutMs
    .default(1_000)
    .describe('Time for a connection to stand; a call that waits longer counts as unreachable.'),
  engine: z
    .enum(['own', 'grpc-js'])
    .default('own')
    .describe('What speaks HTTP/2 to it: own is the engine of this gateway, grpc-js the package.'),
  http2: http2Backend
    .prefault({})
    .describe('Limits of HTTP/2 to each endpoint, for the engine own; grpc-js keeps to the keep-alive times among them.'),
  ...endpointKeys,
});

export const httpBackend = z.strictObject({
  kind: z.literal('http'),
  endpoints: httpEndpoints,
  protocol: z
    .enum(['oip', 'v1', 'auto'])
    .default('oip')
    .describe('oip: Open Inference Protocol v2; v1: TensorFlow Serving; auto: asks for the metadata of one, then of the other.'),
  body: z
    .enum(['binary', 'json', 'auto'])
    .default('auto')
    .describe('How tensors travel in oip; auto: binary where the server lists the extension binary_tensor_data. v1 is JSON.'),
  model: name.nullable().default(null).describe('Name of the model there; null is the same name as here.'),
  version: z
    .union([z.literal(''), name])
    .default('')
    .describe('Version to ask for there; empty leaves it to the server.'),
  tls: serverTls.nullable().default(null).describe('What https needs beyond the system authorities and the names in the URLs.'),
  credential: secret.nullable().default(null).describe('Sent as a bearer token.'),
  maxMessageBytes: bytes.default(67_108_864).describe('Largest answer taken, as it comes and as it unpacks.'),
  maxJsonBytes: bytes
    .default(2_097_152)
    .describe(
      'Largest JSON of an answer, and most tensor bytes of a request that is sent as JSON: both keep the event loop busy.',
    ),
  adaptive: adaptive
    .nullable()
    .prefault({})
    .describe(
      'Let in as many calls as its latency shows that it takes, up to maxInFlight of the variant; null always lets in those.',
    ),
  connectTimeoutMs: timeoutMs.default(1_000).describe('Time for a connection to stand, TLS included.'),
  firstByteTimeoutMs: timeoutMs
    .nullable()
    .default(null)
    .describe('Time from the request to the first byte of the answer; null leaves it to the deadline of the request.'),
  progressTimeoutMs: timeoutMs
    .default(30_000)
    .describe('Time an answer may stop on its way, between two pieces of it, before it is given up.'),
  maxConnections: count
    .max(65_535)
    .default(128)
    .describe(
      'Connections to each endpoint at the same time, each with one call; calls beyond wait for one. Probes have one of their own.',
    ),
  ...endpointKeys,
});

export const backend = z.discriminatedUnion('kind', [onnxBackend, grpcBackend, httpBackend]);
export type OnnxBackendConfig = z.output<typeof onnxBackend>;
export type GrpcBackendConfig = z.output<typeof grpcBackend>;
export type HttpBackendConfig = z.output<typeof httpBackend>;
export type BatchingConfig = z.output<typeof batching>;

export const price = z.strictObject({
  version: z.string().min(1).max(64).describe('Name of this price list; stands on every booking.'),
  perRequestUsd: usd.prefault(0).describe('Dollars a request.'),
  perRowUsd: usd.prefault(0).describe('Dollars a row.'),
  perInputTokenUsd: usd.prefault(0).describe('Dollars an input token; a token is taken as four bytes of a BYTES input.'),
  perOutputTokenUsd: usd.prefault(0).describe('Dollars an output token; a token is taken as four bytes of a BYTES output.'),
  perComputeMsUsd: usd.prefault(0).describe('Dollars a millisecond of compute.'),
  perCacheHitUsd: usd.prefault(0).describe('Dollars an answer from the cache, in place of all else.'),
});
export type PriceConfig = z.output<typeof price>;

export const variant = z.strictObject({
  name: name.describe('Name of the variant; also a version that callers may ask for.'),
  role: z.enum(['stable', 'canary', 'shadow']).describe('stable: exactly one; canary: gets its weight; shadow: gets copies.'),
  labels: z.array(name).default([]).describe('Further names by which a caller may ask for it.'),
  weight: percent.prefault(0).describe('Percent of the traffic (canary) or of copies (shadow); stable takes the rest.'),
  maxInFlight: count.default(1_024).describe('Calls at the same time.'),
  backend: backend.describe('How the variant is reached.'),
  price: price.prefault({ version: 'free' }).describe('What it costs.'),
});
export type VariantConfig = z.output<typeof variant>;

/** What config demands of one input beyond the model's own signature. */
export const inputRule = z.strictObject({
  min: z.number().nullable().default(null).describe('Least value; null sets none.'),
  max: z.number().nullable().default(null).describe('Greatest value; null sets none.'),
  nonFinite: z.enum(['allow', 'refuse']).default('refuse').describe('What to do with NaN and infinities.'),
  maxStringBytes: bytes.default(1_048_576).describe('Longest string of a BYTES input.'),
  utf8: z.boolean().default(false).describe('Take only UTF-8 in a BYTES input; otherwise any bytes, such as images.'),
  allowedValues: z
    .array(z.union([z.string(), z.number()]))
    .nullable()
    .default(null)
    .describe('The only values taken; null takes all.'),
});
export type InputRule = z.output<typeof inputRule>;

export const model = z.strictObject({
  timeoutMs: timeoutMs.default(5_000).describe('Longest a request may take; the caller may ask for less.'),
  tryTimeoutMs: timeoutMs
    .nullable()
    .default(null)
    .describe('Longest one try may take before it is tried elsewhere; null leaves it to the deadline of the request.'),
  retries: retries.prefault({}).describe('When calls fail in a way that another may not.'),
  hedge: hedge.nullable().default(null).describe('Send slow calls twice and take the first answer; null never does.'),
  queue: queue.nullable().prefault({}).describe('Wait for a place where a variant is full; null refuses at once.'),
  maxRows: count.default(1_024).describe('Rows in one request.'),
  rowsAgree: z
    .boolean()
    .default(true)
    .describe(
      'Where all inputs leave dimension 0 free it counts rows: inputs must agree on it and outputs keep it. Set false where it counts something else, such as audio frames.',
    ),
  cache: z
    .strictObject({ ttlMs: z.int().min(1).max(86_400_000).default(60_000).describe('How long an answer may be used again.') })
    .nullable()
    .default(null)
    .describe('Answer equal requests of a tenant from memory; null turns it off.'),
  sticky: z
    .strictObject({
      header: z
        .string()
        .regex(/^[a-z0-9-]*$/)
        .default('')
        .describe('Header field that carries the sticky key, lower case.'),
      tenant: z.boolean().default(false).describe('Keep all requests of a tenant on one variant when no other key is present.'),
    })
    .prefault({}),
  pins: pins.default([]),
  fallbacks: fallbacks.nullable().default(null).describe(`${fallbacks.description} null is stable.`),
  inputs: z.record(z.string(), inputRule).default({}).describe('Rules by input name that narrow the signature.'),
  guards: z
    .strictObject({
      input: z.array(guard).default([]).describe('Guards on what comes in, in order.'),
      output: z.array(guard).default([]).describe('Guards on what goes out, in order.'),
    })
    .prefault({}),
  comparison: comparison.prefault({}).describe("How answers of canaries and shadows are compared with stable's."),
  riskTier,
  rollout: rollout.prefault({}).describe('What rollouts of this model begin with; each may say otherwise.'),
  variants: z.array(variant).min(1).max(32).describe('The variants behind this model.'),
});
export type ModelConfig = z.output<typeof model>;
