import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import { unsentBytes } from './server-internals.ts';

/**
 * The end of a call whose client takes nothing of its answer. A client that gives one stream no room is told that this stream is cancelled.
 * Where the connection takes no byte either, it cannot be told even that, and the stream would hold its answer until a ping is missed.
 */

/** A connection must take a byte of what waits for it within this time once one of its streams has stalled: longer than a lost packet costs. */
const LOOK_MS = 5_000;

/** For the `timeout` of a stream: it has made no progress for as long as config allows. */
export function cutStalled(this: ServerHttp2Stream): void {
  this.close(constants.NGHTTP2_CANCEL);
  if (this.session !== undefined) lookLater(this, this.session);
}

function lookLater(stream: ServerHttp2Stream, session: Http2Session): void {
  setTimeout(look, LOOK_MS, stream, session, unsentBytes(session)).unref();
}

/** A stream that was closed is destroyed as soon as its connection has taken the news. */
function look(stream: ServerHttp2Stream, session: Http2Session, beforeBytes: number): void {
  if (stream.destroyed || session.destroyed) return;
  const bytes = unsentBytes(session);
  if (bytes === 0) return;
  if (bytes === beforeBytes) session.destroy();
  else lookLater(stream, session);
}
