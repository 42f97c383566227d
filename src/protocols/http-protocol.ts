import type { Head, Match } from '../core/exchange.ts';
import { type RestOptions, RestProtocol } from './rest/rest-protocol.ts';
import { V1Protocol } from './v1/v1-protocol.ts';

const V1 = '/v1/';

/** Everything that the HTTP port speaks, told apart by the first segment of the path. */
export class HttpProtocol {
  readonly #rest: RestProtocol;
  readonly #v1: V1Protocol;

  constructor(options: RestOptions) {
    this.#rest = new RestProtocol(options);
    this.#v1 = new V1Protocol(options);
  }

  /** @hot */
  match(head: Head): Match {
    return head.path.startsWith(V1) ? this.#v1.match(head) : this.#rest.match(head);
  }
}
