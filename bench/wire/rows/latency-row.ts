/**
 * What the gateway adds to the latency of a gRPC call while it has half as much to do as it can: calls come at random, as from many callers
 * who do not know of each other, to the gateway and straight to its backend in turn, at the same rate.
 */

import { spawnSync } from 'node:child_process';
import { Caller } from '../caller.ts';
import type { CallerReport } from '../caller-order.ts';
import { WireGateway } from '../gateway.ts';
import { median, type Row, type RowResult, VoidRow, type WireRun } from '../row.ts';
import { USUAL } from '../wire-config.ts';

export const LATENCY_ROW: Row = { id: 'latency', run: compare };

const CONNECTIONS = 4;
const IN_FLIGHT = 64;
const LOAD_SHARE = 0.5;
/** Later than this at its p99 the caller measures itself, or whoever else has its core. */
const LATE_LIMIT_MS = 1;
const EXPECTED = { face: 'grpc', serving: 'passed' } as const;

interface Rounds {
  readonly through: CallerReport[];
  readonly direct: CallerReport[];
}

async function compare(run: WireRun): Promise<readonly RowResult[]> {
  const gateway = await WireGateway.start(run.pinning.server, run.backend.port, 'own', USUAL);
  const callers: Caller[] = [];
  try {
    const launcher = [...run.pinning.load, ...givingWay()];
    for (const [port, key] of [[gateway.grpcPort, gateway.key] as const, [run.backend.port, ''] as const]) {
      const setup = { address: `127.0.0.1:${port}`, connections: CONNECTIONS, models: ['passed'], credentials: [key] };
      callers.push(await Caller.start(setup, launcher));
    }
    const [through, direct] = callers as [Caller, Caller];
    const perSecond = await halfOf(run, gateway, through);
    return resultsOf(await inTurn(run, gateway, through, direct, perSecond), perSecond);
  } finally {
    for (const caller of callers) caller.stop();
    await gateway.stop();
  }
}

/** Half of what the core can do: what a call costs where the gateway always has work, once it is warm. */
async function halfOf(run: WireRun, gateway: WireGateway, caller: Caller): Promise<number> {
  const offer = async (): Promise<number> => {
    await caller.ask({ calls: run.calls, inFlight: IN_FLIGHT, perSecond: 0, seed: 1 });
    return run.calls;
  };
  await gateway.costOf(offer, EXPECTED);
  const us = await gateway.costOf(offer, EXPECTED);
  return Math.round((LOAD_SHARE * 1e6) / us);
}

async function inTurn(run: WireRun, gateway: WireGateway, through: Caller, direct: Caller, perSecond: number): Promise<Rounds> {
  const rounds: Rounds = { through: [], direct: [] };
  // The first round warms both up.
  for (let round = 0; round <= run.rounds; round++) {
    const order = { calls: run.calls, inFlight: IN_FLIGHT, perSecond, seed: 1 + round };
    let report: CallerReport | null = null;
    const us = await gateway.costOf(async () => {
      report = await through.ask(order);
      return order.calls;
    }, EXPECTED);
    const straight = await direct.ask(order);
    const passed = report as unknown as CallerReport;
    const text = (each: CallerReport): string =>
      `p50 ${each.latencyMs.p50.toFixed(3)} p99 ${each.latencyMs.p99.toFixed(3)}, sent p99 ${each.lateMs.p99.toFixed(3)} late`;
    const busy = ((us * order.calls) / passed.elapsedMs / 10).toFixed(0);
    run.say(`round ${round} of ${run.rounds}: gateway ${text(passed)}, ${busy} % busy; direct ${text(straight)} (ms)`);
    if (round === 0) continue;
    rounds.through.push(passed);
    rounds.direct.push(straight);
  }
  return rounds;
}

function resultsOf({ through, direct }: Rounds, perSecond: number): readonly RowResult[] {
  const late = Math.max(...[through, direct].map((reports) => median(reports.map(({ lateMs }) => lateMs.p99))));
  if (late > LATE_LIMIT_MS)
    throw new VoidRow(
      `the caller sent ${late.toFixed(1)} ms late at its p99; its core has to be free for it (limit ${LATE_LIMIT_MS} ms)`,
    );
  const result = (at: 'p50' | 'p99', limit: number, aim: number): RowResult => {
    const [ours, peer] = [through, direct].map((reports) => reports.map(({ latencyMs }) => latencyMs[at]));
    const [our, their] = [median(ours!), median(peer!)];
    return {
      id: 'latency',
      name: `added at half load (${perSecond} a second), ${at}`,
      engine: 'own',
      peerName: 'straight to the backend',
      unit: 'ms',
      ours: our,
      peer: their,
      ratio: our / their,
      judged: 'added',
      limit,
      aim,
      rounds: { ours: ours!, peer: peer! },
      voided: '',
    };
  };
  return [result('p50', 0.25, 0.1), result('p99', 2, 0.5)];
}

/**
 * The caller comes round without a pause, and shares its core with the backend: it must give way at once, or a call would wait for the
 * caller's turn to end.
 */
function givingWay(): readonly string[] {
  const found = spawnSync('chrt', ['--version']).status === 0;
  return found ? ['chrt', '--idle', '0'] : ['nice', '-n', '19'];
}
