import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { TraceParts } from './traces.ts';

/** Spans that wait at most; a whole trace is dropped when it does not fit. */
const MAX_QUEUED = 4_096;
const BATCH_SPANS = 512;
const BATCH_DELAY_MS = 1_000;
const EXPORT_TIMEOUT_MS = 5_000;
const WARN_EVERY_MS = 60_000;
const MAX_REASON = 200;

type Done = Parameters<SpanExporter['export']>[1];

/** Spans on their way to the collector. A collector that is slow or gone costs spans, never a request. */
export class SpanQueue {
  readonly #parts: TraceParts;
  readonly #exporter: CountedExporter;
  readonly #processor: BatchSpanProcessor;

  constructor(endpoint: string, parts: TraceParts) {
    this.#parts = parts;
    this.#exporter = new CountedExporter(endpoint, parts);
    this.#processor = new BatchSpanProcessor({
      exporter: this.#exporter,
      maxQueueSize: MAX_QUEUED,
      maxExportBatchSize: BATCH_SPANS,
      scheduledDelayMillis: BATCH_DELAY_MS,
      // Later than the exporter's own limit, which says more about what went wrong.
      exportTimeoutMillis: EXPORT_TIMEOUT_MS * 2,
    });
  }

  /** All spans of one trace, or none: half a trace misleads. */
  offer(spans: readonly ReadableSpan[]): void {
    if (this.#exporter.queued + spans.length > MAX_QUEUED) {
      this.#parts.count('dropped', spans.length);
      return;
    }
    this.#exporter.queued += spans.length;
    for (const span of spans) this.#processor.onEnd(span);
  }

  async shutdown(): Promise<void> {
    let limit: NodeJS.Timeout | null = null;
    const over = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, this.#parts.shutdownLimitMs);
    });
    // A failed flush has been counted and told by the exporter.
    const flushed = this.#processor.shutdown().catch(() => {});
    await Promise.race([flushed, over]);
    if (limit !== null) clearTimeout(limit);
  }
}

/** Counts what became of each batch, and tells of failures once a minute. */
class CountedExporter implements SpanExporter {
  /** Spans handed to the batch processor and not taken from it yet. */
  queued = 0;
  readonly #parts: TraceParts;
  readonly #otlp: SpanExporter;
  #failures = 0;
  #warnedMs = Number.NEGATIVE_INFINITY;

  constructor(endpoint: string, parts: TraceParts) {
    this.#parts = parts;
    this.#otlp = new OTLPTraceExporter({
      url: endpoint,
      timeoutMillis: EXPORT_TIMEOUT_MS,
      // As many as the queue holds batches: the last flush sends them all at once.
      concurrencyLimit: MAX_QUEUED / BATCH_SPANS + 1,
    });
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.queued -= spans.length;
    this.#otlp.export(spans, (result) => {
      // 0 is success; the package that names the codes is not one of ours.
      if (result.code === 0) this.#parts.count('exported', spans.length);
      else this.#failed(spans.length, result.error);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#otlp.shutdown();
  }

  #failed(spans: number, error: Error | undefined): void {
    this.#failures++;
    this.#parts.count('failed', spans);
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs - this.#warnedMs < WARN_EVERY_MS) return;
    this.#parts.log.warn('trace export failed', {
      exports: this.#failures,
      reason: (error === undefined ? 'no reason given' : error.message).slice(0, MAX_REASON),
    });
    this.#warnedMs = nowMs;
    this.#failures = 0;
  }
}
