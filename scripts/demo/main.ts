/** `npm run demo`: a gateway, a second one as its gRPC canary, real held-out samples from many callers, and what came of it. */

import { problemsOf } from './checks.ts';
import { CANARY, CANARY_KEY_ENV, CANARY_TENANT, canaryServerConfig, gatewayConfig } from './demo-configs.ts';
import type { Outcome } from './errand.ts';
import { type Findings, gather } from './findings.ts';
import { GrpcCaller } from './grpc-caller.ts';
import { report } from './report.ts';
import { RestCaller } from './rest-caller.ts';
import { sendAll } from './send-all.ts';
import { SluiceProcess } from './sluice-process.ts';
import { untilReady } from './until-ready.ts';
import { workload } from './workload.ts';

const SIGNAL_EXIT = 130;

// The processes are killed and their folders removed on the way out, whatever the way.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(SIGNAL_EXIT));

try {
  const findings = await demo();
  console.log(`\n${report(findings)}\n`);
  const problems = problemsOf(findings);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const served = findings.canaryServer.sum('sluice_requests_total', { face: 'grpc', outcome: 'ok' });
  console.log(`All as expected. The gRPC canary answered ${served} calls; both processes have stopped with exit code 0.`);
} catch (error) {
  console.error(`\nThe demo failed:\n${(error as Error).message}`);
  process.exit(1);
}

async function demo(): Promise<Findings> {
  const canaryServer = await SluiceProcess.start({ name: "the canary's server", config: canaryServerConfig() });
  const canaryKey = canaryServer.key(CANARY_TENANT.id, CANARY_TENANT.keyId);
  console.log(`The canary's server answers for ${CANARY.model} ${CANARY.variant} at ${canaryServer.grpcAddress} (gRPC).`);
  const gateway = await SluiceProcess.start({
    name: 'the gateway',
    config: gatewayConfig(canaryServer.grpcAddress),
    env: { [CANARY_KEY_ENV]: canaryKey },
  });
  console.log(`The gateway answers at ${gateway.httpUrl} (REST) and ${gateway.grpcAddress} (gRPC).`);
  const keys = { demo: gateway.key('demo', 'demo0001'), acme: gateway.key('acme', 'acme0001'), foreign: canaryKey };
  const work = async (): Promise<Findings> => {
    await untilReady(gateway);
    const startedMs = performance.now();
    const outcomes = await sendWorkload(gateway, keys);
    return gather({ gateway, canaryServer }, outcomes, performance.now() - startedMs);
  };
  const findings = await Promise.race([work(), gateway.died, canaryServer.died]);
  // The gateway first: what it still has in flight needs the other.
  await gateway.stop();
  await canaryServer.stop();
  return findings;
}

async function sendWorkload(gateway: SluiceProcess, keys: Parameters<typeof workload>[0]): Promise<Outcome[]> {
  const callers = { rest: new RestCaller(gateway.httpUrl), grpc: new GrpcCaller(gateway.grpcAddress) };
  const outcomes: Outcome[] = [];
  try {
    for (const step of workload(keys)) {
      console.log(`Sending ${step.name}: ${step.errands.length} requests, ${step.atOnce} at a time.`);
      outcomes.push(...(await sendAll(callers, step.errands, step.atOnce)));
    }
  } finally {
    callers.rest.close();
    callers.grpc.close();
  }
  return outcomes;
}
