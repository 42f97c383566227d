import type { Clock } from '../../core/clock.ts';
import type { Decoded, RequestContext } from '../../core/context.ts';
import type { Deadlines } from '../../core/deadlines.ts';
import { tellsParts } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import { SCOPE_INFER, SCOPE_OVERRIDE } from '../../core/tenant.ts';
import { millis } from '../../core/units.ts';
import { Verdict } from '../../core/verdict.ts';
import { variantByVersion, visibleRoute } from '../../core/visibility.ts';
import type { Stage } from '../lifecycle.ts';

/** Milliseconds a caller is told to wait for a model that is still warming. */
const WARMING_WAIT_MS = 1_000;

const DECOUPLED =
  'The model may answer any number of times; ask it over the gRPC method ModelStreamInfer or the route generate_stream.';

/** May this caller use this model and version? Unknown and forbidden answer the same. Sets the deadline, since it knows the model. */
export class Authorise implements Stage<Decoded> {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines<RequestContext>;

  constructor(clock: Clock, deadlines: Deadlines<RequestContext>) {
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  /** @hot */
  run(ctx: Decoded): Verdict {
    const { principal, request } = ctx;
    if (!principal.scopes.has(SCOPE_INFER)) return ctx.refuse(Fault.Forbidden, `Scope "${SCOPE_INFER}" is missing.`);
    const route = visibleRoute(ctx.snapshot, principal, request.model);
    if (route === null) return ctx.refuse(Fault.NotFound);
    ctx.route = route;
    const asked = ctx.head.header('x-sluice-variant');
    if (asked !== '' && !principal.scopes.has(SCOPE_OVERRIDE)) {
      return ctx.refuse(Fault.Forbidden, `Header x-sluice-variant needs the scope "${SCOPE_OVERRIDE}".`);
    }
    const version = asked === '' ? request.version : asked;
    if (version !== '') {
      ctx.variant = variantByVersion(route, version);
      if (ctx.variant === null) return ctx.refuse(Fault.NotFound);
      ctx.pinned = true;
    }
    if (route.contract === null) {
      ctx.retryAfterMs = WARMING_WAIT_MS;
      return ctx.refuse(Fault.NoVariant, 'It is still warming.');
    }
    if (route.contract.signature.decoupled && !tellsParts(ctx.codec)) return ctx.refuse(Fault.NotSupported, DECOUPLED);
    return this.#setDeadline(ctx, route.timeoutMs);
  }

  /** The least of what config, protocol header, `x-sluice-timeout-ms` and the OIP parameter grant, from the arrival of the head. */
  #setDeadline(ctx: Decoded, routeMs: number): Verdict {
    let timeoutMs = routeMs;
    if (ctx.head.timeoutMs > 0 && ctx.head.timeoutMs < timeoutMs) timeoutMs = ctx.head.timeoutMs;
    if (ctx.request.timeoutUs > 0 && ctx.request.timeoutUs / 1000 < timeoutMs) timeoutMs = ctx.request.timeoutUs / 1000;
    const stated = ctx.head.header('x-sluice-timeout-ms');
    if (stated !== '') {
      const statedMs = Number(stated);
      if (!Number.isInteger(statedMs) || statedMs < 1) {
        return ctx.refuse(Fault.Malformed, 'Header x-sluice-timeout-ms: expected whole milliseconds, at least 1.');
      }
      if (statedMs < timeoutMs) timeoutMs = statedMs;
    }
    ctx.deadlineIsCallers = timeoutMs < routeMs;
    ctx.deadlineMs = millis(ctx.startedMs + Math.ceil(timeoutMs));
    const nowMs = this.#clock.nowMs();
    if (ctx.deadlineMs <= nowMs) return ctx.refuse(Fault.DeadlineOver);
    this.#deadlines.add(ctx, nowMs);
    return Verdict.Next;
  }
}
