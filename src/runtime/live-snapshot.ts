import type { Identity, Principal, Proof } from '../core/tenant.ts';
import type { Route, Snapshot } from '../core/traffic.ts';

/** One state of config and plans; never changed, only replaced. */
class GatewaySnapshot implements Snapshot {
  readonly revision: number;
  readonly routes: readonly Route[];
  readonly #byModel: ReadonlyMap<string, Route>;
  readonly #identity: Identity;

  constructor(revision: number, routes: readonly Route[], identity: Identity) {
    this.revision = revision;
    this.routes = [...routes].sort((a, b) => (a.model < b.model ? -1 : 1));
    this.#byModel = new Map(routes.map((route) => [route.model, route]));
    this.#identity = identity;
  }

  route(model: string): Route | null {
    return this.#byModel.get(model) ?? null;
  }

  identify(credential: string, wallMs: number, proof: Proof | null = null): Principal | null {
    return this.#identity.identify(credential, wallMs, proof);
  }
}

/** The one reference that the data plane reads its config through, once a request. */
export class LiveSnapshot {
  readonly #identity: Identity;
  #current: Snapshot;

  constructor(routes: readonly Route[], identity: Identity) {
    this.#identity = identity;
    this.#current = new GatewaySnapshot(1, routes, identity);
  }

  get current(): Snapshot {
    return this.#current;
  }

  /** Puts `route` in the place of the one with its model name. */
  replace(route: Route): void {
    const routes = this.#current.routes.map((old) => (old.model === route.model ? route : old));
    this.#current = new GatewaySnapshot(this.#current.revision + 1, routes, this.#identity);
  }
}
