import { Flag, FrameType } from '../../../src/wire/http2/frames/frame-format.ts';
import { H2Error } from '../../../src/wire/http2/h2-error.ts';
import { COMMON_PERMITS } from './common-permits.ts';
import { beyond, ends, FRAME_SIZE, PROTOCOL, STREAM_CLOSED } from './difference.ts';
import type { Moment, Permit } from './duel.ts';

/** Where our server and one on node:http2 (nghttp2) may differ, and why. Everything that is not here is a fault of one of them. */

/** Nothing more may come on that stream from the client, or it is gone. */
function isOver({ said, own }: Moment, streamId: number): boolean {
  const events = own.of(streamId);
  return (
    said.ended.has(streamId) ||
    said.reset.has(streamId) ||
    events.includes('end') ||
    events.some((one) => one.startsWith('reset'))
  );
}

const sentBytes = (events: readonly string[]): number =>
  events.filter((one) => one.startsWith('data ')).reduce((sum, one) => sum + (one.length - 'data '.length) / 2, 0);

/** RFC 3986, 3.2. */
const AUTHORITY = /^[!$%&'()*+,\-.0-9:;=@A-Z[\]_a-z~]*$/;

export const SERVER_PERMITS: readonly Permit[] = [
  ...COMMON_PERMITS,
  {
    // nghttp2 goes as soon as its client says that it goes, and looks at the stream it names. Ours begins no streams, so that there is none
    // to name, and waits for the client to close, who may still want answers.
    name: 'a client says GOAWAY',
    section: 'RFC 9113, 6.8',
    forGood: false,
    covers: (one, { frame }) => frame.is(FrameType.GoAway) && (ends('', H2Error.None)(one) || ends('', PROTOCOL)(one)),
  },
  {
    // Both end the connection. Node calls it an internal error, the RFC a PROTOCOL_ERROR, which ours says.
    name: 'a preface that is none',
    section: 'RFC 9113, 3.4',
    forGood: false,
    covers: (one, { said }) => said.begun.size === 0 && ends(PROTOCOL, H2Error.Internal)(one),
  },
  {
    // The RFC does not ask for an authority where no intermediary needs it, and ours looks at none; nghttp2 wants one, and of URI characters.
    name: 'a request without a good authority',
    section: 'RFC 9113, 8.3.1',
    forGood: true,
    covers: (one, { fields }) => {
      const named = fields.filter(([name]) => name === ':authority' || name === 'host');
      const isWritten = fields.every(([name, value]) => !name.startsWith(':') || /^[!-~]*$/.test(value));
      const isGood = isWritten && named.length > 0 && named.every(([, value]) => AUTHORITY.test(value));
      return one.node === 'reset 1' && fields.length > 0 && !isGood;
    },
  },
  {
    // Where a field that comes once comes twice, the last is taken by ours and the first by Node.
    name: 'two content types',
    section: 'RFC 9110, 8.3',
    forGood: true,
    covers: (one, { fields, frame }) =>
      one.about === 'stream' && one.streamId === frame.streamId && fields.filter(([name]) => name === 'content-type').length > 1,
  },
  {
    // Behind its whole answer a request is thrown away unread by ours; nghttp2 still counts its bytes.
    name: 'a length that is wrong behind a whole answer',
    section: 'RFC 9113, 8.1',
    forGood: true,
    covers: (one, { frame, said, own }) => {
      if (!said.lengths.has(frame.streamId) || !own.of(frame.streamId).includes('end')) return false;
      return ends('', H2Error.Internal)(one) || (one.streamId === frame.streamId && beyond(one.node, one.own) === 'reset 1');
    },
  },
  {
    // Trailers that are none, behind a whole answer: ours resets the stream, nghttp2 has forgotten it.
    name: 'HEADERS that are wrong behind a whole answer',
    section: 'RFC 9113, 8.1',
    forGood: true,
    covers: (one, { frame }) =>
      one.about === 'stream' && frame.isOfBlock && one.node.endsWith('; end') && beyond(one.own, one.node) === 'reset 1',
  },
  {
    // Both reset the stream. What was answered before its end is still said by ours, and not by Node.
    name: 'answers ahead of a reset',
    section: 'RFC 9113, 8.1.1',
    forGood: true,
    covers: (one, { said }) =>
      one.about === 'stream' &&
      said.lengths.has(one.streamId) &&
      one.own.endsWith('; reset 1') &&
      one.node.endsWith('; reset 1') &&
      one.own.startsWith(one.node.slice(0, -'; reset 1'.length)),
  },
  {
    // Bytes that are too many, and no message either: ours is done with the call by the second, nghttp2 by the first.
    name: 'a request that is wrong as HTTP and as gRPC',
    section: 'RFC 9113, 8.1.1',
    forGood: true,
    covers: (one, { frame, said }) =>
      one.about === 'stream' &&
      said.lengths.has(one.streamId) &&
      frame.is(FrameType.Data) &&
      one.node.endsWith('reset 1') &&
      /grpc-status=(3|8|12|13); end$/.test(one.own),
  },
  {
    // nghttp2 passes over what comes on such a stream without looking at it.
    name: 'wrong padding on a stream that is closed',
    section: 'RFC 9113, 6.1',
    forGood: false,
    covers: (one, moment) => {
      const { frame, said } = moment;
      const isGone = isOver(moment, frame.streamId) || (frame.streamId < said.highestId && !said.begun.has(frame.streamId));
      return (
        frame.is(FrameType.Data) && frame.has(Flag.Padded) && isGone && (ends(PROTOCOL, '')(one) || ends(FRAME_SIZE, '')(one))
      );
    },
  },
  {
    // RFC 9113, 8.1.1: an answer may come ahead of the reset. Ours tells a client of gRPC in words.
    name: 'words ahead of the reset of a malformed request',
    section: 'RFC 9113, 8.1.1',
    forGood: true,
    covers: (one) => one.about === 'stream' && /grpc-status=13; end; reset 1$/.test(one.own) && one.node === 'reset 1',
  },
  {
    // 431 or an equivalent is what the RFC suggests; ours answers with the equivalent of gRPC, nghttp2 resets,
    // for them or for what else is wrong with them.
    name: 'more header fields than are taken',
    section: 'RFC 9113, 10.5.1',
    forGood: true,
    covers: (one) => one.about === 'stream' && /grpc-status=8; end$/.test(one.own) && /^reset (1|11)$/.test(one.node),
  },
  {
    // nghttp2 asks for the end of an answer only when it could send DATA, which an empty window forbids. Trailers need no window.
    name: 'trailers while a window is empty',
    section: 'RFC 9113, 5.2.1',
    forGood: false,
    covers: (one, { frame, said, node }) => {
      said.take(frame);
      if (one.about !== 'stream' || sentBytes(node.of(one.streamId)) < said.grant(one.streamId)) return false;
      return /^headers grpc-status=\d+[^;]*; end$/.test(beyond(one.own, one.node) ?? '');
    },
  },
  {
    // On a stream that both have ended, or that was reset, ours says STREAM_CLOSED; nghttp2 ignores what comes. The RFC lets both.
    name: 'DATA on a stream that is closed',
    section: 'RFC 9113, 5.1',
    forGood: true,
    covers: (one, moment) =>
      moment.frame.is(FrameType.Data) && isOver(moment, one.streamId) && beyond(one.own, one.node) === `reset ${STREAM_CLOSED}`,
  },
  {
    // The RFC asks for an error of the connection; nghttp2 takes it for trailers that were on their way, and ignores it.
    name: 'HEADERS on a stream that is closed, or was passed over',
    section: 'RFC 9113, 5.1 and 5.1.1',
    forGood: false,
    covers: (one, { frame, said }) =>
      frame.isOfBlock && frame.streamId <= said.highestId && (ends(STREAM_CLOSED, '')(one) || ends(PROTOCOL, '')(one)),
  },
];
