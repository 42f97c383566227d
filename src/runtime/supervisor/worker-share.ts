import type { ModelConfig, VariantConfig } from '../../config/model-schema.ts';
import type { Config } from '../../config/schema.ts';
import { offloadThreads } from '../offload-pool.ts';

/**
 * What one of several workers gets of the limits that config states for the whole gateway. Shares are rounded up, so that a small limit
 * is no refusal; bodies and cache entries that config allows fit into any share. Rates and requests in flight of tenants are not shared
 * out but leased, as they are used.
 */
export function workerShare(config: Config, workers: number): Config {
  if (workers === 1) return config;
  const share: Share = (amount, least = 1) => Math.max(least, Math.ceil(amount / workers));
  const { limits, cache, listen, shadow, offload } = config;
  return {
    ...config,
    limits: {
      ...limits,
      maxInFlightBytes: share(limits.maxInFlightBytes, limits.maxBodyBytes),
      maxInFlightRequests: share(limits.maxInFlightRequests),
    },
    cache: { ...cache, maxBytes: share(cache.maxBytes, cache.maxEntryBytes) },
    offload: { ...offload, threads: share(offload.threads ?? offloadThreads()), maxQueued: share(offload.maxQueued) },
    listen: {
      ...listen,
      http: { ...listen.http, maxConnections: share(listen.http.maxConnections) },
      grpc: {
        ...listen.grpc,
        maxConnections: share(listen.grpc.maxConnections),
        maxStreams: share(listen.grpc.maxStreams),
        maxHealthWatches: share(listen.grpc.maxHealthWatches),
      },
    },
    shadow: {
      ...shadow,
      maxQueued: share(shadow.maxQueued),
      maxInFlight: share(shadow.maxInFlight),
      maxQueuedBytes: share(shadow.maxQueuedBytes),
    },
    tenants: config.tenants.map((tenant) => ({
      ...tenant,
      maxInFlightBytes: share(tenant.maxInFlightBytes, limits.maxBodyBytes),
    })),
    models: Object.fromEntries(Object.entries(config.models).map(([name, model]) => [name, modelShare(model, share, workers)])),
  };
}

type Share = (amount: number, least?: number) => number;

function modelShare(model: ModelConfig, share: Share, workers: number): ModelConfig {
  const { retries, queue, comparison } = model;
  return {
    ...model,
    retries: { ...retries, perSecond: retries.perSecond / workers },
    queue: queue === null ? null : { ...queue, maxEntries: share(queue.maxEntries) },
    comparison: { ...comparison, watchedMirrorsPerSecond: comparison.watchedMirrorsPerSecond / workers },
    variants: model.variants.map((variant) => variantShare(variant, share)),
  };
}

function variantShare(variant: VariantConfig, share: Share): VariantConfig {
  const { backend } = variant;
  const maxInFlight = share(variant.maxInFlight);
  if (backend.kind === 'onnx' || backend.adaptive === null) return { ...variant, maxInFlight };
  const { minInFlight, initialInFlight } = backend.adaptive;
  const adaptive = { minInFlight: share(minInFlight), initialInFlight: share(initialInFlight) };
  return { ...variant, maxInFlight, backend: { ...backend, adaptive } };
}
