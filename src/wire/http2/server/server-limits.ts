import type { FrameLimits } from '../frames/frame-reader.ts';
import { BLOCK_FACTOR } from '../frames/header-gatherer.ts';
import type { HpackLimits } from '../hpack/decoder.ts';
import { Setting, settingsFrame } from '../settings.ts';

/** What one connection may ask of a server beyond what gRPC itself limits; an operator states it in config. */
export interface H2ServerLimits {
  readonly headerTableBytes: number;
  readonly maxHeaderFields: number;
  readonly maxContinuations: number;
  readonly maxFrameBytes: number;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly maxUnsentBytes: number;
  readonly resetsPerSecond: number;
  readonly pingsPerSecond: number;
  readonly settingsPerSecond: number;
  readonly emptyFramesPerSecond: number;
  readonly burstSeconds: number;
  readonly maxStalledStreams: number;
}

/** The same as what connections need of it, made once for a server. */
export interface ServerRules {
  readonly limits: H2ServerLimits;
  readonly maxConcurrentStreams: number;
  readonly maxMetadataBytes: number;
  readonly hpack: HpackLimits;
  readonly frames: FrameLimits;
  /** SETTINGS as each client is told them. */
  readonly settings: Buffer;
}

export function serverRules(limits: H2ServerLimits, maxConcurrentStreams: number, maxMetadataBytes: number): ServerRules {
  const { headerTableBytes, maxHeaderFields, maxContinuations, maxFrameBytes } = limits;
  return {
    limits,
    maxConcurrentStreams,
    maxMetadataBytes,
    hpack: { tableBytes: headerTableBytes, maxFields: maxHeaderFields, maxListBytes: maxMetadataBytes },
    frames: { maxFrameBytes, maxContinuations, maxBlockBytes: maxMetadataBytes * BLOCK_FACTOR },
    // RFC 9113, 6.5.2. No word about pushes: clients are who says it.
    settings: settingsFrame([
      Setting.HeaderTableSize,
      headerTableBytes,
      Setting.MaxConcurrentStreams,
      maxConcurrentStreams,
      Setting.InitialWindowSize,
      limits.streamWindowBytes,
      Setting.MaxFrameSize,
      maxFrameBytes,
      Setting.MaxHeaderListSize,
      maxMetadataBytes,
    ]),
  };
}
