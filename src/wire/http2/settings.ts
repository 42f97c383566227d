import {
  FRAME_HEAD_BYTES,
  FrameType,
  LEAST_MAX_FRAME_BYTES,
  MASK_31,
  MOST_MAX_FRAME_BYTES,
  put32,
  putFrameHead,
  read32,
} from './frames/frame-format.ts';
import { H2Error, type H2ErrorCode } from './h2-error.ts';
import { DEFAULT_TABLE_BYTES } from './hpack/decoder.ts';

/** Identifiers of RFC 9113, 6.5.2. */
export const Setting = {
  HeaderTableSize: 0x1,
  EnablePush: 0x2,
  MaxConcurrentStreams: 0x3,
  InitialWindowSize: 0x4,
  MaxFrameSize: 0x5,
  MaxHeaderListSize: 0x6,
} as const;

export const DEFAULT_WINDOW_BYTES = 65_535;
/** What a setting has that nobody has sent, where RFC 9113 sets no limit. */
export const UNLIMITED = 0xffff_ffff;

/** What the other side has asked us to keep to; the defaults of RFC 9113, 6.5.2 until it has. */
export class PeerSettings {
  headerTableBytes: number = DEFAULT_TABLE_BYTES;
  maxConcurrentStreams: number = UNLIMITED;
  initialWindowBytes: number = DEFAULT_WINDOW_BYTES;
  maxFrameBytes: number = LEAST_MAX_FRAME_BYTES;
  maxHeaderListBytes: number = UNLIMITED;

  /** Takes the entries of one SETTINGS frame in their order; `fromServer` says who sent it. */
  apply(payload: Buffer, from: number, to: number, fromServer: boolean): H2ErrorCode {
    for (let at = from; at < to; at += 6) {
      const error = this.#take((payload[at]! << 8) | payload[at + 1]!, read32(payload, at + 2), fromServer);
      if (error !== H2Error.None) return error;
    }
    return H2Error.None;
  }

  #take(setting: number, value: number, fromServer: boolean): H2ErrorCode {
    switch (setting) {
      case Setting.HeaderTableSize:
        this.headerTableBytes = value;
        return H2Error.None;
      case Setting.EnablePush:
        // RFC 9113, 6.5.2: a server must not say that pushes are welcome.
        return value > 1 || (fromServer && value === 1) ? H2Error.Protocol : H2Error.None;
      case Setting.MaxConcurrentStreams:
        this.maxConcurrentStreams = value;
        return H2Error.None;
      case Setting.InitialWindowSize:
        // RFC 9113, 6.5.2 and 6.9.2.
        if (value > MASK_31) return H2Error.FlowControl;
        this.initialWindowBytes = value;
        return H2Error.None;
      case Setting.MaxFrameSize:
        // RFC 9113, 6.5.2.
        if (value < LEAST_MAX_FRAME_BYTES || value > MOST_MAX_FRAME_BYTES) return H2Error.Protocol;
        this.maxFrameBytes = value;
        return H2Error.None;
      case Setting.MaxHeaderListSize:
        this.maxHeaderListBytes = value;
        return H2Error.None;
      default:
        // RFC 9113, 6.5.2: what is not known is ignored.
        return H2Error.None;
    }
  }
}

/** A whole SETTINGS frame, made once: identifier, value, identifier, value. */
export function settingsFrame(entries: readonly number[]): Buffer {
  const length = entries.length * 3;
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + length);
  let at = putFrameHead(frame, 0, length, FrameType.Settings, 0, 0);
  for (let i = 0; i + 1 < entries.length; i += 2) {
    frame.writeUInt16BE(entries[i]!, at);
    put32(frame, at + 2, entries[i + 1]!);
    at += 6;
  }
  return frame;
}
