import { HeadNotes } from '../../../core/exchange.ts';
import { blankEndedField } from '../hpack/blank-ends.ts';
import type { FieldList } from '../hpack/field-list.ts';

/** What the name of a field means for a request; all other fields are plain. */
const Kind = {
  Method: 1,
  Scheme: 2,
  Path: 3,
  Authority: 4,
  Te: 5,
  Forbidden: 6,
  ContentLength: 7,
  ContentType: 8,
  Timeout: 9,
  Encoding: 10,
  Host: 11,
} as const;

const KINDS: ReadonlyMap<string, number> = new Map([
  [':method', Kind.Method],
  [':scheme', Kind.Scheme],
  [':path', Kind.Path],
  [':authority', Kind.Authority],
  ['te', Kind.Te],
  // RFC 9113, 8.2.2: they belong to a connection of HTTP/1.1.
  ['connection', Kind.Forbidden],
  ['proxy-connection', Kind.Forbidden],
  ['keep-alive', Kind.Forbidden],
  ['transfer-encoding', Kind.Forbidden],
  ['upgrade', Kind.Forbidden],
  ['content-length', Kind.ContentLength],
  ['content-type', Kind.ContentType],
  ['grpc-timeout', Kind.Timeout],
  ['grpc-encoding', Kind.Encoding],
  ['host', Kind.Host],
]);

const COLON = 0x3a;
const SLASH = 0x2f;
const GRPC_TYPE = 'application/grpc';

/**
 * The header fields of one request, checked by RFC 9113, 8.2 and 8.3, and read as gRPC means them. Never changed afterwards: requests with the same
 * fields share one.
 */
export class RequestHead {
  method = '';
  path = '';
  contentType = '';
  /** `grpc-encoding`; empty where there is none. */
  encoding = '';
  /** -1 where none is stated. */
  contentLength = -1;
  /** Milliseconds that `grpc-timeout` grants, at least 1; 0 where it is absent or too long to matter, -1 where it is none. */
  timeoutMs = 0;
  /** A field whose value has a blank at an end; empty where there is none. The call is refused for it, by whoever knows the caller. */
  readonly blankEnded: string;
  #scheme = '';
  #authority = '';
  #host = '';
  /** The request is no request: a stream error of type PROTOCOL_ERROR (RFC 9113, 8.1.1). */
  readonly malformed: boolean;
  readonly notes = new HeadNotes();
  /** Name, value, name, value. */
  readonly #pairs: string[] = [];

  /** Keeps nothing of the list itself, whose next fields are those of another request. @hot */
  constructor(fields: FieldList) {
    // Read in any case: an answer that says what is wrong needs to know whether gRPC is spoken.
    const isRead = this.#read(fields);
    this.blankEnded = fields.malformed ? blankEndedField(fields) : '';
    this.malformed = !isRead || (fields.malformed && this.blankEnded === '');
  }

  #read(fields: FieldList): boolean {
    let plain = false;
    for (let i = 0; i < fields.count; i++) {
      const name = fields.names[i]!;
      const value = fields.values[i]!;
      const kind = KINDS.get(name);
      if (name.charCodeAt(0) === COLON) {
        // RFC 9113, 8.3: pseudo-header fields stand first, and others than these four are not known.
        if (plain || kind === undefined || !this.#takePseudo(kind, value)) return false;
        continue;
      }
      plain = true;
      if (kind !== undefined && !this.#take(kind, value)) return false;
      this.#pairs.push(name, value);
    }
    // RFC 9113, 8.3.1: these three, and a path that is one. A Host that names somebody else is an attack on whoever routes by it.
    const named = this.#host === '' || this.#authority === '' || this.#host === this.#authority;
    return this.method !== '' && this.#scheme !== '' && this.path.charCodeAt(0) === SLASH && named;
  }

  get isGrpc(): boolean {
    const type = this.contentType;
    if (!type.startsWith(GRPC_TYPE)) return false;
    const next = type[GRPC_TYPE.length];
    return next === undefined || next === '+' || next === ';';
  }

  /** Values of one name are joined as RFC 9110, 5.3 has it; binary ones are not read. */
  value(name: string): string {
    const pairs = this.#pairs;
    let found = '';
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i] === name) found = found === '' ? pairs[i + 1]! : `${found}, ${pairs[i + 1]!}`;
    }
    return name.endsWith('-bin') ? '' : found;
  }

  /** Each comes once at most (RFC 9113, 8.3), and none but :authority is empty (8.3.1). */
  #takePseudo(kind: number, value: string): boolean {
    switch (kind) {
      case Kind.Method:
        if (this.method !== '') return false;
        this.method = value;
        return value !== '';
      case Kind.Scheme:
        if (this.#scheme !== '') return false;
        this.#scheme = value;
        return value !== '';
      case Kind.Path:
        if (this.path !== '') return false;
        this.path = value;
        return value !== '';
      default:
        if (this.#authority !== '') return false;
        this.#authority = value;
        return true;
    }
  }

  #take(kind: number, value: string): boolean {
    switch (kind) {
      case Kind.Te:
        // Keywords have no case (RFC 9110, 10.1.4).
        return value === 'trailers' || value.toLowerCase() === 'trailers';
      case Kind.ContentLength:
        return this.#takeLength(value);
      case Kind.ContentType:
        this.contentType = value;
        return true;
      case Kind.Timeout:
        this.timeoutMs = grantOf(value);
        return true;
      case Kind.Encoding:
        this.encoding = value;
        return true;
      case Kind.Host:
        this.#host = value;
        return true;
      default:
        return false;
    }
  }

  /** RFC 9110, 8.6: digits, and more than one of them only where they agree. */
  #takeLength(value: string): boolean {
    if (!LENGTH.test(value)) return false;
    const length = Number(value);
    if (this.contentLength >= 0 && this.contentLength !== length) return false;
    this.contentLength = length;
    return true;
  }
}

const LENGTH = /^\d{1,15}$/;
/** A positive number of at most eight digits and its unit. */
const GRANT = /^\d{1,8}[HMSmun]$/;
/** Longer than any timer runs: as good as none. */
const MAX_GRANT_MS = 0x7fff_ffff;

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };

function grantOf(value: string): number {
  if (!GRANT.test(value)) return -1;
  const ms = Math.ceil(Number(value.slice(0, -1)) * UNIT_MS[value.at(-1)!]!);
  return ms > MAX_GRANT_MS ? 0 : Math.max(1, ms);
}
