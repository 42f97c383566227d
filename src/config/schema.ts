import { z } from 'zod';
import { bytes, count, name, secret, timeoutMs } from './fields.ts';
import { listen } from './listen-schema.ts';
import { model } from './model-schema.ts';
import { overload } from './overload-schema.ts';
import { planHistory } from './plan-schema.ts';
import { reload, supervision, workers } from './process-schema.ts';
import { rollouts } from './rollout-schema.ts';
import { tenant } from './tenant-schema.ts';

/** The whole config file: the one place that gives types, defaults, validation and the generated docs. */
export const config = z.strictObject({
  listen: listen.describe('The three faces.'),
  tenants: z.array(tenant).min(1).max(100_000).describe('Who may call.'),
  models: z.record(name, model).describe('What may be called, by model name; at most 10,000.'),
  limits: z
    .strictObject({
      maxBodyBytes: bytes.default(67_108_864).describe('Largest request body, as it comes and as it unpacks.'),
      maxJsonBytes: bytes
        .default(2_097_152)
        .describe(
          'Largest JSON of a request, without the binary tensors behind it, and largest typed contents of a gRPC one: both are read value by value.',
        ),
      maxInflateRatio: count
        .max(10_000)
        .default(100)
        .describe('How many times its size a gzip or deflate body may unpack to; the first 64 KiB are free.'),
      maxInFlightBytes: bytes
        .default(268_435_456)
        .describe('Bytes held at the same time of all request bodies, and of answers that their clients have not taken yet.'),
      maxInFlightRequests: count.default(4_096).describe('Requests in flight in the whole gateway.'),
      maxOpenFilesPercent: z
        .int()
        .min(1)
        .max(100)
        .default(90)
        .describe('Share of the file descriptors of a process (ulimit -n) from which new connections are closed; Linux alone.'),
      maxJsonDepth: count.max(1_000).default(32).describe('Nesting of a JSON body.'),
      maxTensors: count.max(1_024).default(64).describe('Inputs, and outputs asked for, in one request.'),
    })
    .prefault({})
    .describe('Limits of the whole gateway.'),
  overload: overload.prefault({}).describe('Running short of memory or time.'),
  cache: z
    .strictObject({
      maxBytes: bytes
        .default(67_108_864)
        .describe('Bytes of all entries; each worker has a cache of its own and its share of this.'),
      maxEntryBytes: bytes.default(1_048_576).describe('Largest entry.'),
      maxRequestBytes: bytes
        .default(4_194_304)
        .describe('Requests with more bytes of tensors bypass the cache: digesting 4 MiB takes the event loop some 3 ms.'),
    })
    .prefault({})
    .describe('The response cache.'),
  offload: z
    .strictObject({
      threads: count
        .max(64)
        .nullable()
        .default(null)
        .describe(
          'Threads for work that is too long for the event loop; null takes one less than there are cores, 1 to 4. Workers share them out, with one each at least.',
        ),
      inlineBytes: bytes
        .default(65_536)
        .describe(
          'Text up to this is read, judged and written on the event loop; numbers up to a multiple of it. Anything larger goes to a thread.',
        ),
      maxQueued: count.default(256).describe('Pieces of work that wait for a thread; more requests are refused.'),
      timeoutMs: timeoutMs.default(5_000).describe('Longest wait for a thread, and longest piece of work in one.'),
    })
    .prefault({})
    .describe('Reading, judging and writing of large requests and answers.'),
  onnx: z
    .strictObject({
      threads: count.max(256).default(1).describe('Threads that run models, in each worker process; each holds every model.'),
    })
    .prefault({})
    .describe('Models in the gateway itself.'),
  shadow: z
    .strictObject({
      maxQueued: count.default(256).describe('Copies waiting, of each model; more are dropped.'),
      maxInFlight: count.default(8).describe('Copies running at the same time, of each model.'),
      maxQueuedBytes: bytes.default(33_554_432).describe('Bytes of waiting copies, of each model.'),
      timeoutMs: timeoutMs.default(5_000).describe('Longest a copy may take.'),
    })
    .prefault({})
    .describe('Copies for shadow variants.'),
  sequences: z
    .strictObject({
      secret: secret
        .nullable()
        .default(null)
        .describe('Key under which sequence ids are rewritten for backends; replicas need the same. null makes one at start.'),
    })
    .prefault({})
    .describe('Sequences of requests.'),
  telemetry: z
    .strictObject({
      accessLog: z.boolean().default(true).describe('One log line a request.'),
      logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least level that is written.'),
      explainRequests: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(2_048)
        .describe('Finished requests that each worker remembers for `sluice explain`, about 0.3 KB each; 0 remembers none.'),
      otlp: z
        .strictObject({
          endpoint: z.url().describe('OTLP/HTTP address for traces, such as http://collector:4318/v1/traces.'),
          sampleRatio: z
            .number()
            .min(0)
            .max(1)
            .default(0.01)
            .describe('Share of new traces that is kept; a sampled parent of an identified caller is always followed.'),
        })
        .nullable()
        .default(null)
        .describe('Export of traces; null turns it off.'),
    })
    .prefault({})
    .describe('Logs and traces.'),
  audit: z
    .strictObject({
      file: z
        .string()
        .nullable()
        .default(null)
        .describe(
          'Plain file that every change is written to before it takes effect, relative to this one; null writes to audit.jsonl in stateDir, and to the log as well.',
        ),
    })
    .prefault({})
    .describe('Record of changes.'),
  plans: planHistory.prefault({}).describe('History of traffic plans.'),
  rollouts: rollouts.prefault({}).describe('Rollouts of all models.'),
  shutdown: z
    .strictObject({
      delayMs: z
        .int()
        .min(0)
        .max(60_000)
        .default(0)
        .describe('Time between "not ready" and closing the listeners, for load balancers.'),
      idleMs: z
        .int()
        .min(0)
        .max(60_000)
        .default(1_000)
        .describe('Time that an idle HTTP/1.1 connection is kept, so that the answer to its next request can tell it to go.'),
      graceMs: timeoutMs.default(30_000).describe('Time for requests in flight to finish.'),
    })
    .prefault({})
    .describe('SIGTERM, and the end of a worker that another has replaced.'),
  workers,
  supervision: supervision.prefault({}).describe('How worker processes are watched over.'),
  reload: reload.prefault({}).describe('Changes of this file while the gateway runs.'),
  stateDir: z
    .string()
    .default('.sluice')
    .describe(
      'Folder for generated secrets, issued and revoked keys, the history of plans, rollouts and the audit record, relative to the working directory.',
    ),
});

/** The config as the program reads it: every default filled in. */
export type Config = z.output<typeof config>;
