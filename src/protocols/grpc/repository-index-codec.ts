import type { RequestContext } from '../../core/context.ts';
import { Fault } from '../../core/faults.ts';
import type { Verdict } from '../../core/verdict.ts';
import { visibleRoutes } from '../../core/visibility.ts';
import { decodeRepositoryIndexRequest, encodeRepositoryIndex, type IndexEntry } from '../../wire/oip/repository-index.ts';
import { QueryCodec } from './query-codec.ts';

/** RepositoryIndex: the variants that the caller may ask for. There is one repository, and it has no name. */
export class RepositoryIndexCodec extends QueryCodec {
  readonly name = 'grpc_repository_index';

  protected reply(ctx: RequestContext, message: Uint8Array): Uint8Array | Verdict {
    const asked = decodeRepositoryIndexRequest(message);
    if (typeof asked === 'string') return ctx.refuse(Fault.Malformed, asked);
    const entries: IndexEntry[] = [];
    const routes = ctx.principal === null || asked.repository !== '' ? [] : visibleRoutes(ctx.snapshot, ctx.principal);
    for (const { model, plan } of routes) {
      for (const { name, state } of plan.variants) {
        const isReady = state.readiness.is === 'ready';
        if (asked.readyOnly && !isReady) continue;
        // The reason in full names files and addresses of ours, so callers get one word of it.
        const reason = isReady ? '' : state.readiness.is;
        entries.push({ name: model, version: name, state: isReady ? 'READY' : 'UNAVAILABLE', reason });
      }
    }
    return encodeRepositoryIndex(entries);
  }
}
