import { Flag, FrameType } from '../../../src/wire/http2/frames/frame-format.ts';
import { H2Error } from '../../../src/wire/http2/h2-error.ts';
import { COMMON_PERMITS } from './common-permits.ts';
import { beyond, ends, FRAME_SIZE, isOfFrame, lastReset, PROTOCOL, STREAM_CLOSED } from './difference.ts';
import type { Permit } from './duel.ts';

const ALTSVC = 10;
const UNREAD = new Set(['content-length', 'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

const isUnread = ([name, value]: readonly [string, string]): boolean =>
  UNREAD.has(name) || (name === ':status' && !/^[1-5]/.test(value));

const CALM = H2Error.EnhanceYourCalm;

/** Where our client and one on node:http2 (nghttp2) may differ, and why. Everything that is not here is a fault of one of them. */
export const CLIENT_PERMITS: readonly Permit[] = [
  ...COMMON_PERMITS,
  {
    // A client may go on with its question, or stop. Ours stops: nobody will use what it asks.
    name: 'an answer that is over before its question',
    section: 'RFC 9113, 8.1',
    forGood: true,
    covers: (one, { own }) => {
      if (one.about !== 'stream' || own.of(one.streamId).includes('end')) return false;
      return beyond(one.own, one.node) === `reset ${H2Error.Cancel}`;
    },
  },
  {
    // Both sides have ended the stream, so that it is closed: nothing has to be said on it, and ours says nothing.
    name: 'a malformed answer that is the last of its stream',
    section: 'RFC 9113, 5.1',
    forGood: true,
    covers: (one, moment) =>
      one.about === 'stream' &&
      isOfFrame(one, moment) &&
      moment.own.of(one.streamId).includes('end') &&
      beyond(one.node, one.own) === `reset ${PROTOCOL}`,
  },
  {
    // The same where nghttp2 takes it for an error of the connection.
    name: 'DATA alone that ends an answer',
    section: 'RFC 9113, 5.4.1',
    forGood: false,
    covers: (one, { frame }) => frame.is(FrameType.Data) && frame.has(Flag.EndStream) && ends('', PROTOCOL)(one),
  },
  {
    // Ours was done with the call within the frame, and had not seen that the frame is the last.
    name: 'a reset that meets the end',
    section: 'RFC 9113, 5.1',
    forGood: true,
    covers: (one, { frame }) =>
      one.about === 'stream' &&
      frame.is(FrameType.Data) &&
      frame.has(Flag.EndStream) &&
      /^reset [18]$/.test(beyond(one.own, one.node) ?? ''),
  },
  {
    // A decision: calls that are over are not remembered, and what still comes for one is passed over, whoever has ended it. The RFC asks for
    // an error of the connection where the server had ended it, which would cost calls that are none the worse for it.
    name: 'HEADERS or DATA behind the end of an answer',
    section: 'RFC 9113, 5.1',
    forGood: false,
    covers: (one, { frame, said }) =>
      (frame.isOfBlock || frame.is(FrameType.Data)) && said.ended.has(frame.streamId) && ends('', STREAM_CLOSED)(one),
  },
  {
    // nghttp2 passes over what comes on a stream that is gone without looking at it.
    name: 'wrong padding on a stream that is closed',
    section: 'RFC 9113, 6.1',
    forGood: false,
    covers: (one, { frame, said, own }) => {
      const { streamId } = frame;
      const isGone = said.ended.has(streamId) || said.reset.has(streamId) || lastReset(own.of(streamId)) !== '';
      return (
        frame.is(FrameType.Data) && frame.has(Flag.Padded) && isGone && (ends(PROTOCOL, '')(one) || ends(FRAME_SIZE, '')(one))
      );
    },
  },
  {
    // Fields that come twice where there is one: ours takes the first, Node joins them to what is no status.
    name: 'two statuses',
    section: 'RFC 9110, 5.3',
    forGood: true,
    covers: (one, moment) =>
      one.about === 'call' && isOfFrame(one, moment) && moment.fields.filter(([name]) => name === 'grpc-status').length > 1,
  },
  {
    // What answers is malformed until it has a head that is no interim one; nghttp2 minds only DATA that has bytes.
    name: 'DATA without bytes behind an interim answer',
    section: 'RFC 9113, 8.1',
    forGood: true,
    covers: (one, moment) =>
      one.about === 'stream' &&
      isOfFrame(one, moment) &&
      moment.frame.is(FrameType.Data) &&
      beyond(one.own, one.node) === `reset ${PROTOCOL}`,
  },
  {
    // Who takes no more fields may say so as he likes: ours has the answer malformed, nghttp2 wants calm.
    name: 'more header fields than are taken',
    section: 'RFC 9113, 10.5.1',
    forGood: true,
    covers: (one, { frame, node }) => one.about === 'stream' && frame.isOfBlock && lastReset(node.of(one.streamId)) === CALM,
  },
  {
    // A decision: what gRPC does not need is not looked at in answers, whose servers an operator has chosen: lengths that are stated beside
    // those of messages, fields of HTTP/1.1, classes of statuses that there are not. Nobody is handed any of it.
    name: 'an answer with a length, with fields of HTTP/1.1, or with a status of no class',
    section: 'RFC 9113, 8.1.1 and 8.2.2',
    forGood: true,
    covers: (one, moment) => {
      if (moment.said.lengths.has(moment.frame.streamId) && ends('', H2Error.Internal)(one)) return true;
      const isReset = lastReset(moment.node.of(one.streamId)) === PROTOCOL;
      return isOfFrame(one, moment) && isReset && moment.fields.some(isUnread);
    },
  },
  {
    // Ours lets the calls end that the server has named. Node gives them all up where the server says why it goes.
    name: 'GOAWAY with an error',
    section: 'RFC 9113, 6.8',
    forGood: false,
    covers: (one, { frame }) => frame.is(FrameType.GoAway) && one.about === 'connection' && one.own === '',
  },
  {
    // Ours has reset the stream, and passes over what was on its way; nghttp2 has found nothing wrong with it until now.
    name: 'an error on a stream that ours has reset',
    section: 'RFC 9113, 5.1',
    forGood: false,
    covers: (one, { frame, own }) =>
      frame.is(FrameType.Data) &&
      lastReset(own.of(frame.streamId)) !== '' &&
      (ends('', PROTOCOL)(one) || ends('', H2Error.Internal)(one)),
  },
  {
    // nghttp2 knows this frame, and how long it has to be; ours does not, and ignores it.
    name: 'ALTSVC',
    section: 'RFC 7838, 4',
    forGood: false,
    covers: (one, { frame }) => frame.is(ALTSVC) && [FRAME_SIZE, PROTOCOL, H2Error.Internal].some((code) => ends('', code)(one)),
  },
];
