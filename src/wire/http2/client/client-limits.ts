import { LEAST_MAX_FRAME_BYTES, MASK_31 } from '../frames/frame-format.ts';
import { DEFAULT_TABLE_BYTES } from '../hpack/decoder.ts';
import { Setting, settingsFrame } from '../settings.ts';
import { STREAM_WINDOW_BYTES } from './h2-call.ts';

/** What a client takes from a server. Servers are chosen by whoever runs this, so that these are no settings. */
export const LIMITS = {
  tableBytes: DEFAULT_TABLE_BYTES,
  maxFields: 128,
  maxListBytes: 32_768,
  maxFrameBytes: LEAST_MAX_FRAME_BYTES,
  maxBlockBytes: 65_536,
  maxContinuations: 8,
  /** Wide, since what comes is used at once; only streams that nobody reads hold something back, each in its own window. */
  connectionWindowBytes: 16_777_216,
  /** Streams at the same time, where the server sets no limit. */
  maxStreams: 16_384,
  lastStreamId: MASK_31,
} as const;

/**
 * Settings, pings and frames that nobody knows: more is a server gone mad. Servers that measure the way to us ping once a round trip while
 * data flows, which on a loopback is thousands a second. Empty DATA is not counted: some servers send one with each answer.
 */
export const PACE = { perSecond: 10_000, burst: 20_000 } as const;

export const CLIENT_SETTINGS = settingsFrame([
  Setting.EnablePush,
  0,
  Setting.InitialWindowSize,
  STREAM_WINDOW_BYTES,
  Setting.MaxHeaderListSize,
  LIMITS.maxListBytes,
]);
