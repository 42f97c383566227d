import type { Codec, Head, Match } from '../core/exchange.ts';
import { Fault, type FaultKind } from '../core/faults.ts';
import { RefusalCodec } from './rest/refusal-codec.ts';

/** What stands at a path: the methods it answers to, what its header fields must say, and who answers. */
export interface Place {
  readonly methods: readonly string[];
  readonly codec: Codec;
  /** Answered without a credential. */
  readonly open: boolean;
  /** Why the head alone is reason to refuse, or null. */
  readonly flaw: (head: Head) => FaultKind | null;
  /** Words that refusal. */
  readonly flawCodec: Codec;
  /** What any other method hears. */
  readonly otherMethod: Match;
}

/** The match of a request at `place`. @hot */
export function matchAt(place: Place, head: Head, model: string, version: string): Match {
  if (!place.methods.includes(head.method)) return place.otherMethod;
  const fault = place.flaw(head);
  if (fault === null) return { codec: place.codec, fault, open: place.open, model, version };
  return { codec: place.flawCodec, fault, open: false, model, version };
}

/** A question: it takes no body. Health has no credential, so a body there would be a stranger's. */
export function question(codec: Codec, open = false): Place {
  return { methods: ['GET'], codec, open, flaw: bodyFlaw, flawCodec: NO_BODY, otherMethod: otherThan('GET') };
}

/** A request whose body has to pass `flaw`; `flawCodec` says what was wrong with it. */
export function post(codec: Codec, flaw: (head: Head) => FaultKind | null, flawCodec: Codec = codec): Place {
  return { methods: ['POST'], codec, open: false, flaw, flawCodec, otherMethod: otherThan('POST') };
}

/** Something that the protocol knows and this gateway does not do; `instead` says what to do. */
export function notOffered(methods: readonly string[], instead: string): Place {
  const codec = new RefusalCodec('', instead);
  const flaw = (): FaultKind => Fault.NotSupported;
  return { methods, codec, open: false, flaw, flawCodec: codec, otherMethod: otherThan(...methods) };
}

/** Nothing is there. */
export const NO_PLACE: Match = refused(Fault.NotFound, new RefusalCodec('', 'There is nothing at this path.'));

const NO_BODY = new RefusalCodec('', 'This path takes no body.');

const bodyFlaw = (head: Head): FaultKind | null => (head.contentLength > 0 ? Fault.Malformed : null);

function otherThan(...methods: readonly string[]): Match {
  return refused(Fault.MethodNotAllowed, new RefusalCodec(methods.join(', '), `Use ${methods.join(' or ')}.`));
}

function refused(fault: FaultKind, codec: Codec): Match {
  return Object.freeze({ codec, fault, open: false, model: '', version: '' });
}
