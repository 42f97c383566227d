import type { EvidenceAnswer, EvidenceAsk } from '../ipc/messages.ts';
import { reasonOf } from '../plan-view.ts';
import type { WorkerGateway } from './worker-gateway.ts';

/** What this worker knows of a variant that a rollout judges; null when it was not told to watch it. */
export function evidenceAnswer(gateway: WorkerGateway, { model, epoch, variant }: EvidenceAsk): EvidenceAnswer | null {
  const evidence = gateway.evidence.read(model, epoch);
  if (evidence === null) return null;
  const route = gateway.routes.find((candidate) => candidate.model === model);
  const found = route?.plan.variants.find(({ name }) => name === variant);
  if (found === undefined) return { ...evidence, readiness: 'unloaded', reason: 'there is no such variant' };
  const { readiness } = found.state;
  return { ...evidence, readiness: readiness.is, reason: reasonOf(readiness) };
}
