/** A REST request through the gateway to a gRPC backend, beside nginx as a plain HTTP proxy before a backend that speaks HTTP/1.1. */

import { WireGateway } from '../gateway.ts';
import { startPeer } from '../nginx.ts';
import { alternate, type Row, type RowResult, resultOf, type WireRun } from '../row.ts';
import { USUAL } from '../wire-config.ts';
import { restPeerSide, restSide } from './sides.ts';

export const REST_ROW: Row = { id: 'rest', run: compare };

async function compare(run: WireRun): Promise<readonly RowResult[]> {
  const peer = await startPeer('http-proxy', run.backend.httpPort, run.pinning.server);
  const gateway = await WireGateway.start(run.pinning.server, run.backend.port, 'own', USUAL);
  try {
    const [ours, theirs] = await alternate(run, [restSide(run, gateway), restPeerSide(run, peer)]);
    const about = {
      id: 'rest',
      name: 'REST predict to a gRPC backend',
      engine: 'own',
      peerName: 'nginx proxy_pass, HTTP to HTTP',
      limit: null,
      aim: null,
    };
    return [resultOf(about, ours!, theirs!)];
  } finally {
    await gateway.stop();
    peer.stop();
  }
}
