import { GrpcStatus } from '../../../core/grpc-status.ts';
import type { GrpcAcceptors } from '../../grpc/grpc-server.ts';
import { writeReset } from '../frames/frame-writer.ts';
import { H2Error, type H2ErrorCode } from '../h2-error.ts';
import type { FieldList } from '../hpack/field-list.ts';
import { DEFAULT_WINDOW_BYTES, type PeerSettings } from '../settings.ts';
import { AnsweredStream } from './answered-stream.ts';
import { BidiStream } from './bidi-stream.ts';
import { NOT_GRPC, NOT_POST, PlainStream } from './plain-stream.ts';
import { RequestHead } from './request-head.ts';
import type { ServerRules } from './server-limits.ts';
import type { ServerStream, StreamHome, StreamPlace } from './server-stream.ts';
import type { ServerStreams } from './server-streams.ts';
import { UnaryStream } from './unary-stream.ts';

/** What the beginning of a stream needs of its connection. */
export interface OpeningHome extends StreamHome {
  /** Streams above this one are not served any more; MASK_31 as long as all are. */
  readonly lastServedId: number;
  /** The stream has its answer, or will have at once, and its client has not ended its side. */
  onLingering(stream: ServerStream): void;
}

export interface OpeningParts {
  readonly rules: ServerRules;
  readonly acceptors: GrpcAcceptors;
  readonly streams: ServerStreams;
  readonly peer: PeerSettings;
  readonly life: OpeningHome;
}

/** Makes of the header fields that begin a stream what it is: a call, or something that is turned away at once. */
export class StreamOpening {
  /** The client knows our settings: until then it goes by those of RFC 9113, 6.5.2. */
  acknowledged = false;
  readonly #parts: OpeningParts;

  constructor(parts: OpeningParts) {
    this.#parts = parts;
  }

  /** False where the request is malformed (RFC 9113, 8.1.1). @hot */
  begin(streamId: number, endStream: boolean, fields: FieldList): boolean {
    const { life, streams, rules } = this.#parts;
    streams.lastId = streamId;
    if (streams.size >= rules.maxConcurrentStreams || streamId > life.lastServedId) {
      // RFC 9113, 5.1.2 and 8.7: it may be asked again, here or elsewhere.
      this.#turnAway(streamId, H2Error.RefusedStream);
      return true;
    }
    if (fields.tooLarge) {
      this.#refuseLarge(this.#place(streamId), endStream, fields);
      return true;
    }
    const head = fields.reading instanceof RequestHead ? fields.reading : readHead(fields);
    if (head.malformed || (endStream && head.contentLength > 0)) {
      // RFC 9113, 8.1.1: an answer may come ahead of the reset, and tells a client more than its code.
      if (head.isGrpc) life.answers.refuse(streamId, GrpcStatus.Internal, MALFORMED, NO_FIELDS);
      this.#turnAway(streamId, H2Error.Protocol);
      return false;
    }
    this.#serve(head, this.#place(streamId), endStream);
    return true;
  }

  #place(streamId: number): StreamPlace {
    const { peer, rules } = this.#parts;
    const windowBytes = rules.limits.streamWindowBytes;
    // RFC 9113, 6.5.3: until it has acknowledged ours, a client goes by the window that all begin with.
    const receiveWindow = this.acknowledged ? windowBytes : Math.max(windowBytes, DEFAULT_WINDOW_BYTES);
    return { streamId, sendWindow: peer.initialWindowBytes, receiveWindow };
  }

  #serve(head: RequestHead, place: StreamPlace, endStream: boolean): void {
    const { life, acceptors, streams } = this.#parts;
    if (head.method !== 'POST' || !head.isGrpc) {
      this.#answerPlain(head, place, endStream);
      return;
    }
    if (acceptors.streams.has(head.path)) {
      const stream = new BidiStream(life, place, head);
      streams.add(stream);
      stream.accept(acceptors.stream);
      if (endStream) stream.onFrameEnd(true);
      return;
    }
    const stream = new UnaryStream(life, place, head);
    streams.add(stream);
    stream.accept(acceptors.unary);
    if (endStream) stream.onFrameEnd(true);
  }

  #answerPlain(head: RequestHead, place: StreamPlace, endStream: boolean): void {
    const { life, streams } = this.#parts;
    const stream = new PlainStream(life, place, head.contentLength);
    streams.add(stream);
    stream.answer(head.method === 'POST' ? NOT_GRPC : NOT_POST, head.method !== 'HEAD');
    if (endStream) stream.onFrameEnd(true);
    else life.onLingering(stream);
  }

  #refuseLarge(place: StreamPlace, endStream: boolean, fields: FieldList): void {
    const { rules, life, streams } = this.#parts;
    const message =
      fields.bytes > rules.maxMetadataBytes
        ? `The metadata has ${fields.bytes} bytes, at most ${rules.maxMetadataBytes} are taken.`
        : `The metadata has more than ${rules.limits.maxHeaderFields} entries.`;
    life.answers.refuse(place.streamId, GrpcStatus.ResourceExhausted, message, NO_FIELDS);
    if (endStream) {
      streams.closed.add(place.streamId, false);
      return;
    }
    const stream = new AnsweredStream(life, place);
    streams.replace(stream);
    life.onLingering(stream);
  }

  #turnAway(streamId: number, code: H2ErrorCode): void {
    writeReset(this.#parts.life.output, streamId, code);
    this.#parts.streams.closed.add(streamId, true);
  }
}

function readHead(fields: FieldList): RequestHead {
  const head = new RequestHead(fields);
  fields.reading = head;
  return head;
}

const MALFORMED =
  'The header fields are malformed: expected names in lower case, values without control characters, and method, scheme and path.';
const NO_FIELDS: readonly string[] = [];
