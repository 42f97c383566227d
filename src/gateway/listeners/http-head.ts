import type { IncomingHttpHeaders } from 'node:http';
import type { Head } from '../../core/exchange.ts';

/** The head of an HTTP/1 request that has passed the strictness rules. */
export class HttpHead implements Head {
  readonly face = 'http';
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly contentLength: number;
  /** HTTP itself has no field for it. */
  readonly timeoutMs = 0;
  readonly remoteAddress: string;
  /** HTTP/1.1 sends each head anew. */
  readonly notes = null;
  readonly #fields: IncomingHttpHeaders;

  /** `target` is in origin form, and Content-Length, where it stands, is a plain number. */
  constructor(method: string, target: string, fields: IncomingHttpHeaders, remoteAddress: string) {
    const mark = target.indexOf('?');
    const length = fields['content-length'];
    this.method = method;
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 ? '' : target.slice(mark + 1);
    this.contentLength = length === undefined ? 0 : Number(length);
    this.remoteAddress = remoteAddress;
    this.#fields = fields;
  }

  header(name: string): string {
    // node:http keeps the fields in a plain object: asked for `constructor` it hands out a function, for `set-cookie` an array.
    const value = this.#fields[name];
    if (typeof value === 'string') return value;
    return Array.isArray(value) ? value.join(', ') : '';
  }
}
