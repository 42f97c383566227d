/** The frame header and the types and flags of RFC 9113, 4.1 and 6. */

/** Length (24), type (8), flags (8), reserved bit and stream (32). */
export const FRAME_HEAD_BYTES = 9;

/** What a client says first (RFC 9113, 3.4); its SETTINGS follow. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const FrameType = {
  Data: 0x0,
  Headers: 0x1,
  Priority: 0x2,
  Reset: 0x3,
  Settings: 0x4,
  PushPromise: 0x5,
  Ping: 0x6,
  GoAway: 0x7,
  WindowUpdate: 0x8,
  Continuation: 0x9,
} as const;

export const Flag = {
  EndStream: 0x1,
  Ack: 0x1,
  EndHeaders: 0x4,
  Padded: 0x8,
  Priority: 0x20,
} as const;

/** SETTINGS_MAX_FRAME_SIZE before anybody has said anything, and the least that it may be (RFC 9113, 6.5.2). */
export const LEAST_MAX_FRAME_BYTES = 16_384;
export const MOST_MAX_FRAME_BYTES = 16_777_215;

export const PING_BYTES = 8;
/** As a frame, and in HEADERS. */
export const PRIORITY_BYTES = 5;
/** A reserved bit stands above stream ids and window increments. */
export const MASK_31 = 0x7fff_ffff;

/** A big-endian number of 32 bits, the reserved bit left out. @hot */
export function read31(from: Buffer, at: number): number {
  return ((from[at]! & 0x7f) << 24) | (from[at + 1]! << 16) | (from[at + 2]! << 8) | from[at + 3]!;
}

/** @hot */
export function read32(from: Buffer, at: number): number {
  return ((from[at]! << 24) | (from[at + 1]! << 16) | (from[at + 2]! << 8) | from[at + 3]!) >>> 0;
}

/** @hot */
export function put32(out: Buffer, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

/** @hot */
export function putFrameHead(out: Buffer, at: number, length: number, type: number, flags: number, streamId: number): number {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  put32(out, at + 5, streamId);
  return at + FRAME_HEAD_BYTES;
}
