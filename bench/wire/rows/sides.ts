/** The sides that most rows compare: a gateway under native load, and an nginx under the same. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readThreadsUs } from '../../cpu-time.ts';
import { framed, INFER, messageOf, QUESTION, restPath } from '../fixed-answers.ts';
import type { WireGateway } from '../gateway.ts';
import type { Load } from '../h2load.ts';
import type { Nginx } from '../nginx.ts';
import { grpcProbe, loadAndProbe, type Probe, restProbe } from '../probe.ts';
import { type Side, VoidRow, type WireRun } from '../row.ts';
import type { Serving } from '../wire-config.ts';

const IN_FLIGHT = 64;
/** Of HTTP/2, which has many questions on each. */
const CONNECTIONS = 4;

export interface ClosableSide extends Side {
  close(): void;
}

/** gRPC to a gateway. */
export async function grpcSide(run: WireRun, gateway: WireGateway, model: Serving, calls = run.calls): Promise<ClosableSide> {
  const { probe, close } = grpcProbe(gateway.grpcPort, model, gateway.key);
  const expected = { face: 'grpc', serving: model } as const;
  // Whatever may be cached is, from here on.
  await gateway.warmUp(() => probe().then(() => 1), expected);
  const load = grpcLoad(run, gateway.grpcPort, model, { authorization: `Bearer ${gateway.key}` }, calls);
  const offer = (): Promise<number> => loadAndProbe(load, probe, run.pinning.load);
  return { measure: () => gateway.costOf(offer, expected), close };
}

/** gRPC to an nginx that passes it on. */
export function grpcPeerSide(run: WireRun, peer: Nginx): ClosableSide {
  const { probe, close } = grpcProbe(peer.port, 'passed', '');
  const load = grpcLoad(run, peer.port, 'passed', {}, run.calls);
  return { measure: () => peerCost(run, peer, load, probe), close };
}

/** REST to a gateway. */
export function restSide(run: WireRun, gateway: WireGateway): ClosableSide {
  const authorization = `Bearer ${gateway.key}`;
  const probe = restProbe(gateway.httpPort, 'passed', restHeaders({ authorization }));
  const load = restLoad(run, gateway.httpPort, { authorization });
  const offer = (): Promise<number> => loadAndProbe(load, probe, run.pinning.load);
  return { measure: () => gateway.costOf(offer, { face: 'http', serving: 'passed' }), close: () => undefined };
}

/** REST to an nginx that passes it on. */
export function restPeerSide(run: WireRun, peer: Nginx): ClosableSide {
  const probe = restProbe(peer.port, 'passed', restHeaders({}));
  const load = restLoad(run, peer.port, {});
  return { measure: () => peerCost(run, peer, load, probe), close: () => undefined };
}

async function peerCost(run: WireRun, peer: Nginx, load: Load, probe: Probe): Promise<number> {
  const before = await run.backend.count();
  const startUs = readThreadsUs(peer.workerPid);
  const offered = await loadAndProbe(load, probe, run.pinning.load);
  const us = (readThreadsUs(peer.workerPid) - startUs) / offered;
  // The question for the count is one more.
  const counted = (await run.backend.count()) - before - 1;
  if (counted < offered) throw new VoidRow(`offered ${offered} to nginx; the backend counts ${counted}`);
  return us;
}

type Fields = Readonly<Record<string, string>>;

function grpcLoad(run: WireRun, port: number, model: Serving, fields: Fields, calls: number): Load {
  const bodyFile = join(run.dir, `${model}.bin`);
  writeFileSync(bodyFile, framed(messageOf(model)));
  const headers = { 'content-type': 'application/grpc', te: 'trailers', ...fields };
  const streams = IN_FLIGHT / CONNECTIONS;
  return { protocol: 'h2', port, path: INFER, bodyFile, headers, calls, connections: CONNECTIONS, streams };
}

function restLoad(run: WireRun, port: number, fields: Fields): Load {
  const bodyFile = join(run.dir, 'question.json');
  writeFileSync(bodyFile, QUESTION.json);
  const headers = restHeaders(fields);
  const path = restPath('passed');
  return { protocol: 'http/1.1', port, path, bodyFile, headers, calls: run.calls, connections: IN_FLIGHT, streams: 1 };
}

const restHeaders = (fields: Fields): Fields => ({ 'content-type': 'application/json', ...fields });
