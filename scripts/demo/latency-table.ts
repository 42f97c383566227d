/** How long answers took, by the caller's clock. */

import { table } from '../../src/cli/terminal.ts';
import type { Outcome } from './errand.ts';

const PARTS: readonly { readonly name: string; readonly has: (outcome: Outcome) => boolean }[] = [
  { name: 'digits, model run here', has: ({ errand, cache, variant }) => isDigits(errand.model, cache) && variant === 'v1' },
  { name: 'digits, gRPC canary', has: ({ errand, cache, variant }) => isDigits(errand.model, cache) && variant === 'v2' },
  { name: 'mails, model run here', has: ({ errand, cache }) => errand.model === 'spam' && cache === 'miss' },
  { name: 'from the cache', has: ({ cache }) => cache === 'hit' },
  { name: 'refused', has: ({ fault }) => fault !== '' },
];
const FACES = ['rest', 'grpc'] as const;

const isDigits = (model: string, cache: string): boolean => model === 'digits' && cache === 'miss';

export function latencyTable(outcomes: readonly Outcome[]): string {
  const rows = PARTS.flatMap(({ name, has }) =>
    FACES.flatMap((face) => {
      const timesMs = outcomes
        .filter((outcome) => outcome.errand.face === face && has(outcome))
        .map(({ latencyMs }) => latencyMs);
      if (timesMs.length === 0) return [];
      timesMs.sort((a, b) => a - b);
      return [[name, face, String(timesMs.length), ...[0.5, 0.9, 0.99].map((share) => percentile(timesMs, share).toFixed(2))]];
    }),
  );
  return table(['what', 'face', 'times', 'p50', 'p90', 'p99'], rows);
}

/** The least value that so much of the sorted list does not exceed. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1]!;
}
