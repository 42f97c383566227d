import { echo, type OipHttpServer, startOipHttpServer } from './oip-http-server.ts';
import { answerAfter, answerEcho, type OipModel, type OipServer, startOipServer } from './oip-server.ts';

/** The servers behind a fault scene. */

/** A server of each kind. */
export interface Servers {
  readonly http: OipHttpServer;
  readonly grpc: OipServer;
}

/** Inferences that have reached one of them. */
export const callsOf = (servers: Servers, kind: 'http' | 'grpc'): number =>
  kind === 'http' ? servers.http.calls.length : servers.grpc.callCount;

/** Slower than the endpoint with the fault: calls that come one after another go to that one until it is left out. */
const TWIN_MS = 20;

export async function startTwins(models: readonly OipModel[]): Promise<Servers> {
  return {
    http: await startOipHttpServer({
      models,
      onInfer: (call, model) => new Promise((done) => setTimeout(done, TWIN_MS, echo(call, model))),
    }),
    grpc: await startOipServer({
      models,
      onInfer: (call, model) => answerAfter(TWIN_MS, answerEcho(call, model)),
    }),
  };
}
