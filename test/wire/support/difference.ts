import { Flag, FrameType, LEAST_MAX_FRAME_BYTES } from '../../../src/wire/http2/frames/frame-format.ts';
import { H2Error } from '../../../src/wire/http2/h2-error.ts';
import type { Difference, Moment } from './duel.ts';
import type { FrameView } from './frame-view.ts';

/** What there is to ask about a difference. */

export const PROTOCOL = H2Error.Protocol;
export const STREAM_CLOSED = H2Error.StreamClosed;
export const FRAME_SIZE = H2Error.FrameSize;
/** The length of the padding, and a priority. */
export const SMALLEST_PADDED = 6;

/** How the two have ended the connection; '' where one has not. */
export const ends = (own: number | '', node: number | '') => (one: Difference) =>
  one.about === 'connection' && one.own === String(own) && one.node === String(node);

/** Both have ended the connection, each with one of these codes. */
export function bothEnd(one: Difference, ...codes: readonly number[]): boolean {
  return (
    one.about === 'connection' &&
    codes.some((code) => one.own === String(code)) &&
    codes.some((code) => one.node === String(code))
  );
}

/** It is about the stream of the frame, or the call on it. */
export function isOfFrame({ about, streamId }: Difference, { frame }: Moment): boolean {
  return (about === 'stream' || about === 'call') && streamId === frame.streamId;
}

/** The events of which only `longer` has any; null where the two differ before. */
export function beyond(longer: string, shorter: string): string | null {
  if (shorter === '') return longer;
  return longer.startsWith(`${shorter}; `) ? longer.slice(shorter.length + 2) : null;
}

export function lastReset(events: readonly string[]): number | '' {
  const last = /^reset (\d+)$/.exec(events.at(-1) ?? '');
  return last === null ? '' : Number(last[1]);
}

/** RFC 9113, 8.2.1, and RFC 9110, 5.1 and 5.5. */
const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they who may not be.
const VALUE = /^(?![ \t])[^\x00-\x08\x0a-\x1f\x7f]*(?<![ \t])$/;

export const isNoField = ([name, value]: readonly [string, string]): boolean => !NAME.test(name) || !VALUE.test(value);

const FIXED_LENGTHS = new Map<number, (length: number) => boolean>([
  [FrameType.Priority, (length) => length === 5],
  [FrameType.Reset, (length) => length === 4],
  [FrameType.Settings, (length) => length % 6 === 0],
  [FrameType.Ping, (length) => length === 8],
  [FrameType.GoAway, (length) => length >= 8],
  [FrameType.PushPromise, () => false],
]);
const ON_CONNECTION: readonly number[] = [FrameType.Settings, FrameType.Ping, FrameType.GoAway];

/** It has the wrong size, and is at the wrong place too. */
export function isTwiceWrong(frame: FrameView, inBlock: boolean): boolean {
  const { type, streamId, length } = frame;
  const fits = FIXED_LENGTHS.get(type);
  const isSizeWrong =
    length > LEAST_MAX_FRAME_BYTES ||
    (fits !== undefined && !fits(length)) ||
    (frame.is(FrameType.Settings) && frame.has(Flag.Ack) && length > 0) ||
    (frame.is(FrameType.Headers) && length < SMALLEST_PADDED);
  const isPlaceWrong = inBlock || type === FrameType.PushPromise || ON_CONNECTION.includes(type) !== (streamId === 0);
  return isSizeWrong && isPlaceWrong;
}
