import { Flag, FrameType, LEAST_MAX_FRAME_BYTES } from '../../../src/wire/http2/frames/frame-format.ts';
import { H2Error } from '../../../src/wire/http2/h2-error.ts';
import {
  beyond,
  bothEnd,
  ends,
  FRAME_SIZE,
  isNoField,
  isOfFrame,
  isTwiceWrong,
  lastReset,
  PROTOCOL,
  SMALLEST_PADDED,
  STREAM_CLOSED,
} from './difference.ts';
import type { Permit } from './duel.ts';

/** Where our engine and node:http2 (nghttp2) may differ on whichever side, and why. */

const NGHTTP2_MOST_SETTINGS = 32;
/** What it says, and what its client tells, of a field that may not be or that is one too many. */
const EARLY = ['reset 1', 'reset 11', 'status 13', 'status 8'];

export const COMMON_PERMITS: readonly Permit[] = [
  {
    // Node counts its own pings, and takes an answer to none for an internal error. Nothing is said of such answers; ours counts them as pings.
    name: 'PING with ACK that answers no PING',
    section: 'RFC 9113, 6.7',
    forGood: false,
    covers: (one, { frame }) => frame.is(FrameType.Ping) && frame.has(Flag.Ack) && ends('', H2Error.Internal)(one),
  },
  {
    // Nothing is said of an acknowledgement of nothing. nghttp2 ends the connection; to ours it is a second one of the same SETTINGS.
    name: 'SETTINGS with ACK that acknowledges nothing',
    section: 'RFC 9113, 6.5.3',
    forGood: false,
    covers: (one, { frame }) => frame.is(FrameType.Settings) && frame.has(Flag.Ack) && ends('', PROTOCOL)(one),
  },
  {
    // nghttp2 takes 32 entries, ours as many as a frame has: it counts frames, and an entry costs less than a frame.
    name: 'SETTINGS with very many entries',
    section: 'RFC 9113, 10.5',
    forGood: false,
    covers: (one, { frame }) =>
      frame.is(FrameType.Settings) &&
      frame.length > 6 * NGHTTP2_MOST_SETTINGS &&
      one.about === 'connection' &&
      one.node === String(H2Error.EnhanceYourCalm),
  },
  {
    // A frame that is at the wrong place, of the wrong size and for the wrong stream is wrong for whichever reason is looked for first; ours
    // decodes a block before it looks whether its stream may be.
    name: 'a frame that breaks two rules',
    section: 'RFC 9113, 5.4.1',
    forGood: false,
    covers: (one, { frame, inBlock }) =>
      (bothEnd(one, PROTOCOL, FRAME_SIZE) && isTwiceWrong(frame, inBlock)) ||
      (frame.is(FrameType.Continuation) && frame.length > LEAST_MAX_FRAME_BYTES && ends(FRAME_SIZE, H2Error.Compression)(one)) ||
      (frame.isOfBlock && ends(H2Error.Compression, PROTOCOL)(one)),
  },
  {
    // A padded frame without a byte to say how much, or without its priority: too small for what it must contain, or with more padding than
    // there is room for.
    name: 'padding of unknown length',
    section: 'RFC 9113, 4.2 and 6.1',
    forGood: false,
    covers: (one, { frame }) => frame.has(Flag.Padded) && frame.length < SMALLEST_PADDED && ends(FRAME_SIZE, PROTOCOL)(one),
  },
  {
    // Ours judges a frame by its head alone where it can; nghttp2 may wait for the rest of it, which here never comes.
    name: 'a frame that is judged by its head',
    section: 'RFC 9113, 5.4.1',
    forGood: false,
    covers: (one, { frame }) => !frame.isWhole && (ends(PROTOCOL, '')(one) || ends(FRAME_SIZE, '')(one)),
  },
  {
    // The RFC has a message with it malformed, and so has ours; nghttp2 leaves the field out.
    name: 'a field that may not be',
    section: 'RFC 9113, 8.2.1',
    forGood: true,
    covers: (one, moment) => isOfFrame(one, moment) && moment.fields.some(isNoField),
  },
  {
    // The RFC has done away with what priorities mean, and nghttp2 still takes one for an error.
    name: 'a stream that depends on itself',
    section: 'RFC 9113, 5.3.2',
    forGood: false,
    covers: (one, { frame }) => frame.is(FrameType.Headers) && frame.has(Flag.Priority) && ends('', PROTOCOL)(one),
  },
  {
    // What is not known is ignored; nghttp2 knows settings of RFC 8441 and 9218, and which values they may have.
    name: 'a setting that only nghttp2 knows',
    section: 'RFC 9113, 6.5.2',
    forGood: false,
    covers: (one, { frame }) =>
      frame.is(FrameType.Settings) && frame.isWhole && hasForeign(frame.payload) && ends('', PROTOCOL)(one),
  },
  {
    // The RFC has done away with priorities, and still asks for an error; nghttp2 does not look at them any more.
    name: 'PRIORITY that is wrong',
    section: 'RFC 9113, 6.3',
    forGood: false,
    covers: (one, { frame }) => frame.is(FrameType.Priority) && (ends(PROTOCOL, '')(one) || ends(FRAME_SIZE, '')(one)),
  },
  {
    // nghttp2 decodes a block as it comes, and judges each field. Ours decodes whole blocks: it will say the same when the block is whole.
    name: 'a header block that is judged before it is whole',
    section: 'RFC 9113, 4.3',
    forGood: false,
    covers: (one, moment) => {
      const { frame, inBlock } = moment;
      const isCutOff = inBlock && !frame.hasHead;
      if (!frame.leavesBlockOpen && !isCutOff) return false;
      if (one.about === 'connection') return [H2Error.Compression, PROTOCOL, STREAM_CLOSED].some((code) => ends('', code)(one));
      return (isCutOff || isOfFrame(one, moment)) && EARLY.includes(beyond(one.node, one.own) ?? '');
    },
  },
  {
    // An error of a stream may be taken for one of the connection: nghttp2 does so with what comes behind the end of a request.
    name: 'a stream error that nghttp2 takes for one of the connection',
    section: 'RFC 9113, 5.4.1',
    forGood: false,
    covers: (one, { frame, own, before }) => {
      const events = own.of(frame.streamId);
      const code = events.length > before ? lastReset(events) : '';
      // Node calls what nghttp2 calls a PROTOCOL_ERROR of a stream an internal error of the session.
      return code !== '' && (ends('', code)(one) || (code === PROTOCOL && ends('', H2Error.Internal)(one)));
    },
  },
];

const ENABLE_CONNECT_PROTOCOL = 8;
const NO_PRIORITIES = 9;

function hasForeign(payload: Buffer): boolean {
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    const setting = payload.readUInt16BE(at);
    if ((setting === ENABLE_CONNECT_PROTOCOL || setting === NO_PRIORITIES) && payload.readUInt32BE(at + 2) > 1) return true;
  }
  return false;
}
