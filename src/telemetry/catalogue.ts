/** The one list of metrics: names, help, labels and buckets. Nothing else in the gateway spells a metric's name. */

export interface MetricSpec {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending; empty for the other kinds. */
  readonly buckets: readonly number[];
}

export const METRIC_PREFIX = 'sluice_';

/** From a cache hit to the longest timeouts in use. Seconds. */
const CALL_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;
/** Phases that only think take microseconds. Seconds. */
const PHASE_SECONDS = [0.000005, 0.00001, 0.000025, 0.00005, ...CALL_SECONDS] as const;
/** Powers of two up to the largest batch that config allows. */
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096] as const;

const counter = (name: string, help: string, ...labels: string[]): MetricSpec =>
  Object.freeze({ name: METRIC_PREFIX + name, kind: 'counter', help, labels, buckets: [] });
const gauge = (name: string, help: string, ...labels: string[]): MetricSpec =>
  Object.freeze({ name: METRIC_PREFIX + name, kind: 'gauge', help, labels, buckets: [] });
const histogram = (name: string, help: string, buckets: readonly number[], ...labels: string[]): MetricSpec =>
  Object.freeze({ name: METRIC_PREFIX + name, kind: 'histogram', help, labels, buckets });

/**
 * Every label value comes from a closed set: config, the fault catalogue, or a list in the code. What a stranger names is never one:
 * `model` and `variant` are empty where a request was refused before it was known to be for a model its caller may use. `endpoint` is an
 * address of config, or one that a name of config stands for now: it leaves the scrape when the name no longer does.
 */
export const CATALOGUE = Object.freeze({
  requests: counter(
    'requests_total',
    'Requests finished, by how they ended: ok, or who is to blame (client, upstream, gateway).',
    'face',
    'codec',
    'model',
    'variant',
    'outcome',
  ),
  faults: counter('faults_total', 'Requests refused, by fault and by the phase that refused.', 'code', 'phase', 'model'),
  requestSeconds: histogram(
    'request_duration_seconds',
    'From the last header field in to the last byte out.',
    CALL_SECONDS,
    'model',
    'variant',
    'outcome',
  ),
  phaseSeconds: histogram(
    'phase_duration_seconds',
    'Time in each phase of a request; decode includes the wait for the body.',
    PHASE_SECONDS,
    'phase',
  ),
  inFlight: gauge('requests_in_flight', 'Requests begun and not finished.', 'face'),
  requestBytes: counter('request_bytes_total', 'Bytes of request inputs.', 'model'),
  responseBytes: counter('response_bytes_total', 'Bytes of answer outputs.', 'model'),
  cacheRequests: counter(
    'cache_requests_total',
    'Requests that came to the cache, by result: hit, miss, shared, bypass.',
    'model',
    'result',
  ),
  guardRulings: counter(
    'guard_rulings_total',
    'Rulings of guards: allow, flag, rewrite, block, error.',
    'model',
    'side',
    'guard',
    'ruling',
  ),
  backendAttempts: counter(
    'backend_attempts_total',
    'Calls to backends, by how they ended: OK or the code of a fault.',
    'model',
    'variant',
    'code',
  ),
  backendSeconds: histogram(
    'backend_duration_seconds',
    'Time of calls that were begun, failed ones too.',
    CALL_SECONDS,
    'model',
    'variant',
  ),
  endpointInFlight: gauge('endpoint_in_flight', 'Calls at an endpoint that have not ended.', 'model', 'variant', 'endpoint'),
  endpointHealthy: gauge(
    'endpoint_healthy',
    '1 when an endpoint takes its share of calls, be it a growing one; 0 when it is out.',
    'model',
    'variant',
    'endpoint',
  ),
  endpointEjections: counter(
    'endpoint_ejections_total',
    'Ejections of endpoints, by reason: consecutive_failures, success_rate, unreachable, probation_failed.',
    'model',
    'variant',
    'reason',
  ),
  overloads: counter(
    'overload_refusals_total',
    'Requests refused because this process is at a limit: memory, event_loop, requests, bytes, leases.',
    'reason',
  ),
  shadowCopies: counter(
    'shadow_copies_total',
    'Copies for shadows: dropped, failed, agreed, disagreed, incomparable.',
    'model',
    'variant',
    'outcome',
  ),
  mirrorCopies: counter(
    'mirror_copies_total',
    'Requests mirrored between stable and a canary, by which of them was asked: dropped, failed, agreed, disagreed, incomparable.',
    'model',
    'variant',
    'asked',
    'outcome',
  ),
  batchRows: histogram('batch_rows', 'Rows in each run of a model in this process.', ROWS, 'model', 'variant'),
  cost: counter('cost_nano_usd_total', 'Booked cost in billionths of a US dollar.', 'tenant', 'model', 'variant'),
  httpRejected: counter('http_rejected_total', 'HTTP exchanges refused before they were a request, by fault.', 'code'),
  grpcRefused: counter(
    'grpc_connections_refused_total',
    'gRPC connections closed when they came, since there were as many as there may be, or too many open files.',
  ),
  spans: counter('trace_spans_total', 'Spans of sampled traces: exported, failed, dropped.', 'outcome'),
  logLinesDropped: counter('log_lines_dropped_total', 'Log lines lost because the log could not be written fast enough.'),
  bodyBytesInFlight: gauge(
    'body_bytes_in_flight',
    'Bytes held now of request bodies, and of answers that their clients have not taken yet.',
  ),
  cacheBytes: gauge('cache_bytes', 'Bytes of all cache entries.'),
  cacheEntries: gauge('cache_entries', 'Cache entries.'),
  shadowQueueLength: gauge('shadow_queue_length', 'Copies waiting for a shadow, and mirrored requests.'),
  pressureLevel: gauge(
    'pressure_level',
    '0 for none, 1 no new cache entries, 2 idle connections are closed, 3 new requests are refused.',
  ),
  memoryShare: gauge('memory_share', 'Memory in use, of the heap limit or of the memory limit, whichever is nearer.'),
  eventLoopDelay: gauge(
    'event_loop_delay_seconds',
    'How late the event loop was, 99th percentile of the time since the last scrape.',
  ),
  eventLoopDelayMax: gauge('event_loop_delay_max_seconds', 'The longest that the event loop was late since the last scrape.'),
  offloadQueueLength: gauge('offload_queue_length', 'Pieces of work on large requests and answers that wait for a thread.'),
  variantReady: gauge('variant_ready', '1 when the variant is ready for traffic.', 'model', 'variant'),
  planWeight: gauge('plan_weight_bp', 'Share of the traffic, or of copies for a shadow, in basis points.', 'model', 'variant'),
  planRevision: gauge('plan_revision', 'Revision of the traffic plan.', 'model'),
  comparisonAgreement: gauge(
    'comparison_agreement',
    "Share of the compared answers of a canary or shadow that agree with stable's, since the workers began.",
    'model',
    'variant',
  ),
  scoreDriftPsi: gauge(
    'score_drift_psi',
    "Population stability index of a variant's scores against stable's: below 0.1 little, above 0.25 much.",
    'model',
    'variant',
    'output',
  ),
  scoreDriftJensenShannon: gauge(
    'score_drift_jensen_shannon',
    'Jensen-Shannon divergence of the same scores, from 0 to 1.',
    'model',
    'variant',
    'output',
  ),
  rolloutState: gauge(
    'rollout_state',
    'Always 1, for each rollout that is under way; its state is in the label: running, waiting, paused.',
    'model',
    'variant',
    'state',
  ),
  rolloutStep: gauge(
    'rollout_step',
    'Step of a rollout that is under way, counted from 1; 0 before the first.',
    'model',
    'variant',
  ),
  rolloutStuck: gauge(
    'rollout_stuck',
    '1 while a rollout cannot do what it should, as with a full disk or no audit record.',
    'model',
    'variant',
  ),
  rolloutPValue: gauge(
    'rollout_p_value',
    'Always-valid p-value against "no worse than tolerated", by what is judged: errors, latency, cost, disagreement.',
    'model',
    'variant',
    'metric',
  ),
  rolloutTransitions: counter(
    'rollout_transitions_total',
    'Transitions of rollouts, by the state they led to.',
    'model',
    'state',
  ),
  webhookEvents: counter(
    'webhook_events_total',
    'Events for webhooks: delivered, failed (given up after all tries, or refused), dropped (too many waited, or the gateway ended).',
    'outcome',
  ),
  webhookQueueLength: gauge('webhook_queue_length', 'Events that wait for their webhook.'),
  workers: gauge('workers', 'Worker processes, by state: starting, serving, draining.', 'state'),
  workerRestarts: counter(
    'worker_restarts_total',
    'Workers replaced because they ended: crash (an error that nothing caught), silent, signal, exit, start (could not begin).',
    'reason',
  ),
  workerCpuSeconds: counter('worker_cpu_seconds_total', 'CPU time of workers, by their number; of all that had it.', 'worker'),
  workerResidentBytes: gauge('worker_resident_bytes', 'Memory that a worker holds now.', 'worker'),
  connectionsDropped: counter(
    'connections_dropped_total',
    'Connections ended before a worker had them: the system refused them, or none could take them.',
    'face',
  ),
  configGeneration: gauge('config_generation', 'Raised whenever new workers take over, with a new config or the same.'),
  configReloadFailed: gauge('config_reload_failed', '1 while the config file is not the one in force, because it was refused.'),
  auditSeq: gauge(
    'audit_seq',
    'Number of the last audit record in the file. A file in the place of another counts from 1 anew, with the record audit.begin; where it falls otherwise, records were cut off.',
  ),
  auditRefusing: gauge(
    'audit_refusing',
    '1 while changes are refused, since the audit record cannot be written or its chain is broken.',
  ),
  adminDenied: counter(
    'admin_denied_total',
    'Requests refused on the admin port: token (a token that is unknown or has expired), role (one that may not do that).',
    'reason',
  ),
  buildInfo: gauge('build_info', 'Always 1; the version is in the label.', 'version'),
} satisfies Record<string, MetricSpec>);

/** The catalogue as a Markdown table, for the documentation. */
export function metricsDocs(): string {
  const lines = ['| metric | kind | labels | meaning |', '|---|---|---|---|'];
  for (const spec of Object.values<MetricSpec>(CATALOGUE)) {
    const labels = spec.labels.map((label) => `\`${label}\``).join(', ');
    lines.push(`| \`${spec.name}\` | ${spec.kind} | ${labels} | ${spec.help} |`);
  }
  return `${lines.join('\n')}\n`;
}
