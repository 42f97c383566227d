import type { Config } from '../../config/schema.ts';

/**
 * What one of several workers gets of the limits that config states for the whole gateway. Shares are rounded up, so that a small limit
 * is no refusal; bodies and cache entries that config allows fit into any share. Rates and requests in flight of tenants are not shared
 * out but leased, as they are used.
 */
export function workerShare(config: Config, workers: number): Config {
  if (workers === 1) return config;
  const share = (amount: number, least = 1): number => Math.max(least, Math.ceil(amount / workers));
  const { limits, cache, listen, shadow } = config;
  return {
    ...config,
    limits: {
      ...limits,
      maxInFlightBytes: share(limits.maxInFlightBytes, limits.maxBodyBytes),
      maxInFlightRequests: share(limits.maxInFlightRequests),
    },
    cache: { ...cache, maxBytes: share(cache.maxBytes, cache.maxEntryBytes) },
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
    models: Object.fromEntries(
      Object.entries(config.models).map(([name, model]) => [
        name,
        { ...model, variants: model.variants.map((variant) => ({ ...variant, maxInFlight: share(variant.maxInFlight) })) },
      ]),
    ),
  };
}
