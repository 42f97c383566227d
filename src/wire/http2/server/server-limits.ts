import { type ConnectionLimits, type ConnectionRules, connectionRules } from '../connection-rules.ts';
import { Setting } from '../settings.ts';

/** What one connection may ask of a server beyond what gRPC itself limits; an operator states it in config. */
export interface H2ServerLimits extends ConnectionLimits {
  readonly resetsPerSecond: number;
  readonly maxStalledStreams: number;
}

/** The same as what connections need of it, made once for a server. */
export interface ServerRules extends ConnectionRules {
  readonly limits: H2ServerLimits;
  readonly maxConcurrentStreams: number;
  readonly maxMetadataBytes: number;
}

export function serverRules(limits: H2ServerLimits, maxConcurrentStreams: number, maxMetadataBytes: number): ServerRules {
  // No word about pushes (RFC 9113, 6.5.2): clients are who says it.
  const own = [Setting.MaxConcurrentStreams, maxConcurrentStreams];
  return { limits, maxConcurrentStreams, maxMetadataBytes, ...connectionRules(limits, maxMetadataBytes, own) };
}
