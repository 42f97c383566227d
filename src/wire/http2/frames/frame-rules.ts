import { H2Error, type H2ErrorCode } from '../h2-error.ts';
import { Flag, FrameType, PING_BYTES, PRIORITY_BYTES } from './frame-format.ts';

/** What RFC 9113, 6 asks of a frame that its head tells already: on which stream it may be, and how long. @hot */
export function frameError(type: number, flags: number, streamId: number, length: number): H2ErrorCode {
  switch (type) {
    case FrameType.Data:
      // RFC 9113, 6.1: the octet that says how much padding there is has to be there.
      return onStream(streamId, length >= paddingRoom(flags));
    case FrameType.Headers:
      // RFC 9113, 6.2: and the priority.
      return onStream(streamId, length >= paddingRoom(flags) + ((flags & Flag.Priority) !== 0 ? PRIORITY_BYTES : 0));
    case FrameType.Priority:
      // A wrong length is a stream error by RFC 9113, 6.3; one may take any for an error of the connection (5.4.2).
      return onStream(streamId, length === PRIORITY_BYTES);
    case FrameType.Reset:
      // RFC 9113, 6.4.
      return onStream(streamId, length === 4);
    case FrameType.Continuation:
      // RFC 9113, 6.10.
      return onStream(streamId, true);
    case FrameType.Settings:
      // RFC 9113, 6.5: entries of six octets, and none in an acknowledgement.
      return onConnection(streamId, length % 6 === 0 && ((flags & Flag.Ack) === 0 || length === 0));
    case FrameType.Ping:
      // RFC 9113, 6.7.
      return onConnection(streamId, length === PING_BYTES);
    case FrameType.GoAway:
      // RFC 9113, 6.8.
      return onConnection(streamId, length >= 8);
    case FrameType.WindowUpdate:
      // RFC 9113, 6.9: on a stream, or on the connection.
      return length === 4 ? H2Error.None : H2Error.FrameSize;
    case FrameType.PushPromise:
      // RFC 9113, 8.4: clients never push, and servers do not push to us since SETTINGS_ENABLE_PUSH is 0.
      return H2Error.Protocol;
    default:
      return H2Error.None;
  }
}

const paddingRoom = (flags: number): number => ((flags & Flag.Padded) !== 0 ? 1 : 0);

function onStream(streamId: number, fits: boolean): H2ErrorCode {
  if (streamId === 0) return H2Error.Protocol;
  return fits ? H2Error.None : H2Error.FrameSize;
}

function onConnection(streamId: number, fits: boolean): H2ErrorCode {
  if (streamId !== 0) return H2Error.Protocol;
  return fits ? H2Error.None : H2Error.FrameSize;
}
