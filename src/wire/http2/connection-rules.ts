import type { FrameLimits } from './frames/frame-reader.ts';
import { BLOCK_FACTOR } from './frames/header-gatherer.ts';
import type { HpackLimits } from './hpack/decoder.ts';
import { Setting, settingsFrame } from './settings.ts';

/** What one side of a connection takes from the other, whichever it is. */
export interface ConnectionLimits {
  readonly headerTableBytes: number;
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

/** The same as connections need it. */
export interface ConnectionRules {
  readonly hpack: HpackLimits;
  readonly frames: FrameLimits;
  /** SETTINGS as the other side is told them (RFC 9113, 6.5.2). */
  readonly settings: Buffer;
}

/** `own` are settings that this side alone has something to say of: identifier, value, identifier, value. */
export function connectionRules(limits: ConnectionLimits, maxMetadataBytes: number, own: readonly number[]): ConnectionRules {
  const { headerTableBytes, maxHeaderFields, maxContinuations, maxFrameBytes, streamWindowBytes } = limits;
  const told = [Setting.HeaderTableSize, headerTableBytes, ...own, Setting.InitialWindowSize, streamWindowBytes];
  return {
    hpack: { tableBytes: headerTableBytes, maxFields: maxHeaderFields, maxListBytes: maxMetadataBytes },
    frames: { maxFrameBytes, maxContinuations, maxBlockBytes: maxMetadataBytes * BLOCK_FACTOR },
    settings: settingsFrame([...told, Setting.MaxFrameSize, maxFrameBytes, Setting.MaxHeaderListSize, maxMetadataBytes]),
  };
}
