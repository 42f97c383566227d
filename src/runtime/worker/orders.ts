import type { Gives, OrderName, Takes } from '../ipc/messages.ts';
import { addIssued } from '../tenants.ts';
import { backendViews } from './backend-views.ts';
import { evidenceAnswer } from './evidence-answer.ts';
import type { WorkerGateway } from './worker-gateway.ts';

type Execute<Name extends OrderName> = (gateway: WorkerGateway, takes: Takes<Name>) => Gives<Name> | Promise<Gives<Name>>;

/** What each order does. Everything was checked and put on record by whoever gave it. */
const ORDERS: { readonly [Name in OrderName]: Execute<Name> } = {
  report: (gateway) => gateway.report(),
  backends: (gateway) => backendViews(gateway.routes),
  explain: (gateway, requestId) => gateway.explain(requestId),
  comparison: (gateway, { model, samples }) => gateway.comparing.book.report(model, samples),
  truth(gateway, truth) {
    gateway.adopt(truth);
    return null;
  },
  weights(gateway, plan) {
    gateway.replan(plan);
    return null;
  },
  load: (gateway, name) => gateway.mover.load(name),
  async unload(gateway, name) {
    await gateway.mover.unload(name);
    return null;
  },
  purge: (gateway, model) => gateway.purge(model),
  cached: (gateway, model) => gateway.cached(model),
  issue(gateway, key) {
    addIssued(gateway.keys, key);
    return null;
  },
  revoke(gateway, keyId) {
    gateway.keys.revoke(keyId);
    return null;
  },
  watch(gateway, watched) {
    gateway.evidence.watch(watched);
    return null;
  },
  evidence: (gateway, ask) => evidenceAnswer(gateway, ask),
  quiesce(gateway) {
    gateway.quiesce();
    return null;
  },
  drain: (gateway) => gateway.drain(),
};

/** Rejects with why it cannot be done. */
export async function execute(gateway: WorkerGateway, name: OrderName, takes: unknown): Promise<unknown> {
  // The supervisor sends each order with what it takes; one table has both.
  const order = ORDERS[name] as Execute<OrderName>;
  return order(gateway, takes as never);
}
