import { type ConnectionLimits, type ConnectionRules, connectionRules } from '../connection-rules.ts';
import { Setting } from '../settings.ts';

/** What a client takes from one server, and what it asks of it; an operator states it in config. */
export interface H2ClientLimits extends ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConcurrentStreams: number;
  readonly maxWaitingCalls: number;
  readonly maxConnectionIdleMs: number;
  readonly keepAliveTimeMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxMetadataBytes: number;
}

/** The same as connections need it, made once for a channel. */
export interface ClientRules extends ConnectionRules {
  readonly limits: H2ClientLimits;
  /** The id of a connection's first stream: 1, but for those who want to see the last. */
  readonly firstStreamId: number;
}

/** RFC 9113, 6.5.2 and 8.4: nothing is pushed to whoever says so. */
const NO_PUSH = [Setting.EnablePush, 0];

export function clientRules(limits: H2ClientLimits, firstStreamId: number): ClientRules {
  return { limits, firstStreamId, ...connectionRules(limits, limits.maxMetadataBytes, NO_PUSH) };
}
