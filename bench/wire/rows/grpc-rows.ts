/** A gRPC call through the gateway, to a backend or answered from the cache, beside nginx that passes it to the same backend. */

import { WireGateway } from '../gateway.ts';
import { startPeer } from '../nginx.ts';
import { alternate, type Row, type RowResult, resultOf, type WireRun } from '../row.ts';
import { type Serving, USUAL } from '../wire-config.ts';
import { grpcPeerSide, grpcSide } from './sides.ts';

export const GRPC_ROWS: readonly Row[] = [
  row({ id: 'grpc', name: 'gRPC predict to a gRPC backend', limit: 0.6, aim: 0.35 }, 'passed'),
  row({ id: 'hit', name: 'gRPC predict, cache hit', limit: 0.4, aim: 0.25 }, 'cached'),
];

/** The package takes some five times as long: its rounds need fewer calls. */
const SLOWER = 4;

function row(about: Pick<RowResult, 'id' | 'name' | 'limit' | 'aim'>, serving: Serving): Row {
  return { id: about.id, run: (run) => compare(run, about, serving) };
}

/** Both engines in the same run, so that before and after stand side by side. */
async function compare(
  run: WireRun,
  about: Pick<RowResult, 'id' | 'name' | 'limit' | 'aim'>,
  serving: Serving,
): Promise<readonly RowResult[]> {
  const peer = await startPeer('grpc-pass', run.backend.port, run.pinning.server);
  const gateways: WireGateway[] = [];
  const sides = [grpcPeerSide(run, peer)];
  try {
    for (const engine of run.engines) {
      const gateway = await WireGateway.start(run.pinning.server, run.backend.port, engine, USUAL);
      gateways.push(gateway);
      const calls = engine === 'own' ? run.calls : Math.ceil(run.calls / SLOWER);
      sides.push(await grpcSide(run, gateway, serving, calls));
    }
    const [theirs, ...ours] = await alternate(run, sides);
    return run.engines.map((engine, i) => resultOf({ ...about, engine, peerName: 'nginx grpc_pass' }, ours[i]!, theirs!));
  } finally {
    for (const side of sides) side.close();
    for (const gateway of gateways) await gateway.stop();
    peer.stop();
  }
}
