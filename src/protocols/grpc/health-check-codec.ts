import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Verdict } from '../../core/verdict.ts';
import { decodeHealthCheckRequest, encodeHealthStatus, ServingStatus } from '../../wire/oip/health-messages.ts';
import { QueryCodec } from './query-codec.ts';

const SERVING: Uint8Array = encodeHealthStatus(ServingStatus.Serving);
const NOT_SERVING: Uint8Array = encodeHealthStatus(ServingStatus.NotServing);
const SERVICE_UNKNOWN: Uint8Array = encodeHealthStatus(ServingStatus.ServiceUnknown);

/** What may be asked about without a credential; names of models are not among it. */
const SERVICES: ReadonlySet<string> = new Set(['', 'inference.GRPCInferenceService']);

/** The common health service of gRPC: Check, and the first answer of Watch. */
export class HealthCheckCodec extends QueryCodec {
  readonly name: string;
  readonly #isReady: () => boolean;
  readonly #watches: boolean;

  constructor(name: string, isReady: () => boolean, watches: boolean) {
    super();
    this.name = name;
    this.#isReady = isReady;
    this.#watches = watches;
  }

  protected reply(ctx: RequestContext, message: Uint8Array): Uint8Array | Verdict {
    const asked = decodeHealthCheckRequest(message);
    if (typeof asked === 'string') return ctx.refuse(Fault.Malformed, asked);
    // A watch of a service that is not known stays open, as the service's own rules want it; a check fails.
    if (!SERVICES.has(asked.service)) return this.#watches ? SERVICE_UNKNOWN : ctx.refuse(Fault.NotFound);
    return this.#isReady() ? SERVING : NOT_SERVING;
  }
}
