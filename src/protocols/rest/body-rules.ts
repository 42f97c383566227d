import type { Head } from '../../core/exchange.ts';
import { Fault, type FaultKind } from '../../core/faults.ts';
import type { UnpackedBound } from './inflation.ts';
import { codingOf, mediaOf, sageMakerSize } from './media.ts';

/** Where the JSON of a body ends, by its head: the whole body is JSON. */
export const ALL_JSON = -1;
const UNREADABLE = -2;

const MAX_LENGTH_DIGITS = 9;
const DIGITS = /^\d+$/;
const LENGTH_FIELD = 'inference-header-content-length';

const MEDIA_HINT =
  'Send application/json, or application/octet-stream with Inference-Header-Content-Length; the Content-Encoding may be gzip or deflate.';
const NO_SIZE_HINT = 'The content type lacks json-header-size=<bytes>, how many bytes of the body are JSON.';
const LENGTH_HINT =
  'Inference-Header-Content-Length (json-header-size in the content type) must be a whole number of bytes from 0 to the length of the body, and the same where both are given.';

/** Why a body is refused before it is read. */
export interface BodyFlaw {
  readonly kind: FaultKind;
  readonly hint: string;
}

const flaw = (kind: FaultKind, hint: string): BodyFlaw => Object.freeze({ kind, hint });
const OTHER_MEDIA = flaw(Fault.MediaType, MEDIA_HINT);
const NO_SIZE = flaw(Fault.MediaType, NO_SIZE_HINT);
const LENGTH = flaw(Fault.Malformed, LENGTH_HINT);

/** What the header fields of an infer request must say, so that a body which cannot be taken is never read. */
export class BodyRules {
  readonly maxJsonBytes: number;
  /** What is said of JSON that is too long, before its body is read or after. */
  readonly tooLong: BodyFlaw;
  /** For bodies that are JSON from end to end. */
  readonly jsonBound: UnpackedBound;

  constructor(maxJsonBytes: number) {
    this.maxJsonBytes = maxJsonBytes;
    this.tooLong = flaw(
      Fault.BodyTooLarge,
      `At most ${maxJsonBytes} bytes of JSON are taken: send large tensors as binary data (parameters.binary_data_size with Inference-Header-Content-Length), or use gRPC.`,
    );
    this.jsonBound = { bytes: maxJsonBytes, hint: this.tooLong.hint };
  }

  /** @hot */
  flaw(head: Head): BodyFlaw | null {
    const media = mediaOf(head.header('content-type'));
    if (media === 'other') return OTHER_MEDIA;
    const coding = codingOf(head.header('content-encoding'));
    if (coding === 'other') return OTHER_MEDIA;
    const jsonBytes = jsonBytesOf(head);
    if (jsonBytes === UNREADABLE) return LENGTH;
    // Bytes of no stated layout are JSON: Triton's asyncio client sends all its JSON so.
    if (jsonBytes === ALL_JSON && media === 'sagemaker') return NO_SIZE;
    if (jsonBytes > this.maxJsonBytes) return this.tooLong;
    // What is packed has its length after unpacking alone.
    if (coding !== 'identity') return null;
    if (jsonBytes > head.contentLength) return LENGTH;
    return jsonBytes === ALL_JSON && head.contentLength > this.maxJsonBytes ? this.tooLong : null;
  }
}

/** How many bytes at the start of the body, unpacked, are JSON; 0 for a raw body, ALL_JSON where nothing is stated. @hot */
export function jsonBytesOf(head: Head): number {
  const field = head.header(LENGTH_FIELD);
  const type = head.header('content-type');
  const size = mediaOf(type) === 'sagemaker' ? sageMakerSize(type) : '';
  if (field === '' && size === '') return ALL_JSON;
  const stated = field === '' ? size : field;
  if (size !== '' && Number(size) !== Number(stated)) return UNREADABLE;
  return stated.length <= MAX_LENGTH_DIGITS && DIGITS.test(stated) ? Number(stated) : UNREADABLE;
}
