import type { ModelConfig, VariantConfig } from '../config/model-schema.ts';
import type { QueueConfig } from '../config/overload-schema.ts';
import type { CallPolicy } from '../core/call-policy.ts';
import type { Clock } from '../core/clock.ts';
import type { Gate } from '../core/gate.ts';
import { AdaptiveLimit } from '../limits/adaptive-limit.ts';
import { systemAlarm } from '../limits/alarm.ts';
import { FairQueue } from '../limits/fair-queue.ts';
import { HedgeDelay } from '../limits/hedge-delay.ts';
import { RetryBudget } from '../limits/retry-budget.ts';
import { VariantGate } from '../limits/variant-gate.ts';

/** How a config lets calls in, and how it has them tried again. */

export function callPolicyOf({ retries, hedge, tryTimeoutMs }: ModelConfig): CallPolicy {
  return {
    maxRetries: retries.max,
    tryTimeoutMs: tryTimeoutMs ?? 0,
    // Percent are kept as basis points.
    budget: new RetryBudget({ share: retries.percent / 10_000, perSecond: retries.perSecond }),
    hedge: hedge === null ? null : new HedgeDelay({ percentile: hedge.percentile / 100, minMs: hedge.minMs }),
  };
}

/** A model in this process queues and batches its own calls, and its latency is mostly that; only servers have a limit that follows theirs. */
export function gateOf({ maxInFlight, backend }: VariantConfig, queue: QueueConfig | null, clock: Clock): Gate {
  const adaptive = backend.kind === 'onnx' ? null : backend.adaptive;
  return new VariantGate({
    clock,
    maxInFlight,
    adaptive:
      adaptive === null
        ? null
        : new AdaptiveLimit({
            minLimit: Math.min(adaptive.minInFlight, maxInFlight),
            initialLimit: Math.min(adaptive.initialInFlight, maxInFlight),
            maxLimit: maxInFlight,
          }),
    queue: queue === null ? null : new FairQueue({ clock, setAlarm: systemAlarm, ...queue }),
  });
}
