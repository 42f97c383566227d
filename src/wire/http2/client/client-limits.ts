import type { FrameLimits } from '../frames/frame-reader.ts';
import { BLOCK_FACTOR } from '../frames/header-gatherer.ts';
import type { HpackLimits } from '../hpack/decoder.ts';
import { Setting, settingsFrame } from '../settings.ts';

/** What a client takes from one server, and what it asks of it; an operator states it in config. */
export interface H2ClientLimits {
  readonly maxConnections: number;
  readonly maxConcurrentStreams: number;
  readonly maxWaitingCalls: number;
  readonly maxConnectionIdleMs: number;
  readonly keepAliveTimeMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly headerTableBytes: number;
  readonly maxMetadataBytes: number;
  readonly maxHeaderFields: number;
  readonly maxContinuations: number;
  readonly maxFrameBytes: number;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly maxUnsentBytes: number;
  readonly pingsPerSecond: number;
  readonly settingsPerSecond: number;
  readonly emptyFramesPerSecond: number;
  readonly burstSeconds: number;
}

/** The same as connections need it, made once for a channel. */
export interface ClientRules {
  readonly limits: H2ClientLimits;
  readonly hpack: HpackLimits;
  readonly frames: FrameLimits;
  /** SETTINGS as each server is told them. */
  readonly settings: Buffer;
  /** The id of a connection's first stream: 1, but for those who want to see the last. */
  readonly firstStreamId: number;
}

export function clientRules(limits: H2ClientLimits, firstStreamId: number): ClientRules {
  const { headerTableBytes, maxHeaderFields, maxMetadataBytes, maxContinuations, maxFrameBytes } = limits;
  return {
    limits,
    hpack: { tableBytes: headerTableBytes, maxFields: maxHeaderFields, maxListBytes: maxMetadataBytes },
    frames: { maxFrameBytes, maxContinuations, maxBlockBytes: maxMetadataBytes * BLOCK_FACTOR },
    settings: settingsFrame([
      Setting.HeaderTableSize,
      headerTableBytes,
      // RFC 9113, 6.5.2 and 8.4: nothing is pushed to whoever says so.
      Setting.EnablePush,
      0,
      Setting.InitialWindowSize,
      limits.streamWindowBytes,
      Setting.MaxFrameSize,
      maxFrameBytes,
      Setting.MaxHeaderListSize,
      maxMetadataBytes,
    ]),
    firstStreamId,
  };
}
