import { z } from 'zod';
import { bytes, count, timeoutMs } from './fields.ts';

/** Limits of one HTTP/2 connection (RFC 9113), for both of its sides. */

const headerTableBytes = z.int().min(0).max(65_536);
const maxHeaderFields = count.max(4_096).default(128);
const maxContinuations = count.max(64).default(8).describe('CONTINUATION frames of one header block.');
const maxFrameBytes = z.int().min(16_384).max(1_048_576).default(16_384).describe('Bytes of one frame.');
const streamWindowBytes = z.int().min(1_024).max(67_108_864);
const connectionWindowBytes = z.int().min(65_535).max(268_435_456);
const maxUnsentBytes = z.int().min(16_384).max(67_108_864);
const burstSeconds = count.max(600);

/** What a client goes beyond ends its connection with ENHANCE_YOUR_CALM, unless it says otherwise. */
export const http2Listen = z.strictObject({
  headerTableBytes: headerTableBytes.default(4_096).describe('Bytes of the table in which a client keeps header fields.'),
  maxHeaderFields: maxHeaderFields.describe('Header fields of a call; a call with more is refused.'),
  maxContinuations,
  maxFrameBytes,
  streamWindowBytes: streamWindowBytes
    .default(262_144)
    .describe('Bytes a client may send on one stream before any of them is used.'),
  connectionWindowBytes: connectionWindowBytes.default(1_048_576).describe('The same for all streams of a connection together.'),
  maxUnsentBytes: maxUnsentBytes
    .default(262_144)
    .describe('Bytes given to a connection that has not taken them; answers wait beyond it.'),
  resetsPerSecond: count
    .default(100)
    .describe('Streams a client resets beyond as many as it takes a whole answer of, and streams that it makes this side reset.'),
  pingsPerSecond: count.default(100).describe('PING frames.'),
  settingsPerSecond: count.default(10).describe('SETTINGS frames.'),
  emptyFramesPerSecond: count.default(1_000).describe('Frames without effect, as DATA without bytes.'),
  burstSeconds: burstSeconds.default(10).describe('Seconds of the four rates above that may come at once.'),
  maxStalledStreams: count.default(16).describe('Answers in a row that a client gives no room for writeStallMs.'),
});

/**
 * What a server goes beyond ends its connection with ENHANCE_YOUR_CALM, unless it says otherwise. Servers are chosen by whoever runs this,
 * so that the defaults are wide. No rate of resets: each that does something ends a call that this side has begun.
 */
export const http2Backend = z.strictObject({
  maxConnections: count.max(64).default(2).describe('Connections; another is made when those there are have no room for a call.'),
  maxConcurrentStreams: count
    .max(1_000_000)
    .default(16_384)
    .describe('Calls at the same time on one, where the server allows more.'),
  maxWaitingCalls: count
    .default(65_536)
    .describe('Calls that wait for a connection, or for room on one; beyond it they fail at once.'),
  maxConnectionIdleMs: timeoutMs
    .min(1_000)
    .default(300_000)
    .describe('Time a connection without calls is kept; the next call makes a new one where it was the last.'),
  keepAliveTimeMs: timeoutMs
    .min(1_000)
    .default(30_000)
    .describe('Time a server that owes an answer may say nothing before it is pinged; doubles when it finds that too often.'),
  keepAliveTimeoutMs: timeoutMs.default(10_000).describe('Time for a server to answer a ping; then its connection is given up.'),
  headerTableBytes: headerTableBytes
    .default(0)
    .describe(
      'Bytes of the table in which a server keeps header fields; with none, answers that begin and end alike are read once.',
    ),
  maxMetadataBytes: bytes.max(1_048_576).default(32_768).describe('Bytes of all metadata of an answer; a call with more fails.'),
  maxHeaderFields: maxHeaderFields.describe('Header fields of an answer; a call with more fails.'),
  maxContinuations,
  maxFrameBytes,
  streamWindowBytes: streamWindowBytes
    .default(1_048_576)
    .describe('Bytes a server may send on one stream before any of them is used.'),
  connectionWindowBytes: connectionWindowBytes.default(16_777_216).describe('The same for all streams of a connection together.'),
  maxUnsentBytes: maxUnsentBytes
    .default(1_048_576)
    .describe('Bytes given to a connection that has not taken them; requests wait beyond it.'),
  pingsPerSecond: count
    .default(10_000)
    .describe('PING frames; servers that measure the way to us ping once a round trip while data flows.'),
  settingsPerSecond: count.default(1_000).describe('SETTINGS frames.'),
  emptyFramesPerSecond: count.default(10_000).describe('Frames without effect: of an unknown type, PRIORITY, GOAWAY.'),
  burstSeconds: burstSeconds.default(2).describe('Seconds of the three rates above that may come at once.'),
});
