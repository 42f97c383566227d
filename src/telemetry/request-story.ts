import type { PhaseStory, Placement, RequestStory } from '../core/request-story.ts';
import { PHASE_NAMES, Phase } from '../core/verdict.ts';
import type { Remembered } from './request-memory.ts';

/** Turns what is remembered of a request into sentences. */

export function storyOf(place: Remembered): RequestStory {
  const { fault, kind } = place;
  return {
    requestId: place.requestId,
    at: new Date(place.wallMs).toISOString(),
    traceId: place.traceId,
    face: kind.face,
    method: kind.method,
    path: kind.path,
    tenant: kind.tenant,
    keyId: place.keyId,
    model: kind.model,
    placement: placementOf(place),
    // Who answered before it was refused has answered nobody.
    answeredBy: fault === null ? kind.answeredBy : '',
    cache: kind.cache,
    attempts: place.attempts,
    failedTries: place.failedTries,
    phases: phasesOf(place),
    fault:
      fault === null
        ? null
        : {
            code: fault.code,
            phase: PHASE_NAMES[place.faultPhase]!,
            detail: place.faultDetail,
            message: fault.message,
          },
    rows: place.rows,
    costNanoUsd: place.cost,
    durationUs: place.durationUs,
  };
}

function placementOf(place: Remembered): Placement | null {
  const { variant } = place.kind;
  if (variant === '') return null;
  const { planRevision, weightBp } = place;
  return { variant, planRevision, weightBp, why: whyOf(place) };
}

const STICKY: Readonly<Record<Remembered['stickyBy'], string>> = {
  sequence: 'its sequence',
  header: "the model's sticky header field",
  session: 'x-sluice-session',
  tenant: 'its tenant',
  request: 'its own request id, so each request of this caller is placed anew',
};

function whyOf(place: Remembered): string {
  const { variant } = place.kind;
  if (place.pinned) return `The caller asked for ${variant} by version or x-sluice-variant.`;
  if (place.byPin) return `A pin of the plan gives ${variant} to it at revision ${place.planRevision}.`;
  const percent = place.weightBp / 100;
  return `The plan gives ${variant} ${percent} % at revision ${place.planRevision}; hashed by ${STICKY[place.stickyBy]}.`;
}

function phasesOf(place: Remembered): PhaseStory[] {
  const stories: PhaseStory[] = [];
  let beforeUs = 0;
  for (let phase = 0; phase < PHASE_NAMES.length; phase++) {
    const markUs = place.marksUs[phase]!;
    const refused = place.fault !== null && place.faultPhase === phase;
    if (markUs === 0 && !refused) continue;
    const durationUs = Math.max(0, markUs - beforeUs);
    beforeUs = Math.max(beforeUs, markUs);
    const decided = refused ? refusalOf(place) : (DECISIONS[phase as Phase]?.(place) ?? '');
    stories.push({ phase: PHASE_NAMES[phase]!, durationUs, decided });
  }
  return stories;
}

function refusalOf({ fault, faultDetail }: Remembered): string {
  return `refused: ${fault!.code}, ${faultDetail === '' ? fault!.message : faultDetail}`;
}

/** What each phase has decided where it has not refused. */
const DECISIONS: Readonly<Partial<Record<Phase, (place: Remembered) => string>>> = {
  [Phase.Identify]: ({ kind: { tenant }, keyId }) => (tenant === '' ? 'a stranger' : `tenant ${tenant} by key ${keyId}`),
  [Phase.Admit]: ({ rateRemaining }) =>
    rateRemaining < 0 ? 'let in' : `let in; ${rateRemaining} more requests may come at once`,
  [Phase.Decode]: ({ kind, rows, inputBytes }) => `read as ${kind.codec}: ${rows} rows, ${inputBytes} bytes`,
  [Phase.Authorise]: ({ kind }) => `may use ${kind.model}`,
  [Phase.InspectInput]: ({ flags }) => (flags.length === 0 ? 'guards let it pass' : `guards noted ${flags.join(', ')}`),
  [Phase.Place]: ({ kind }) => `placed on ${kind.variant}`,
  [Phase.Recall]: ({ kind }) => RECALLS[kind.cache] ?? kind.cache,
  [Phase.Infer]: ({ kind, fault, attempts }) => {
    const { variant } = kind;
    const answeredBy = fault === null ? kind.answeredBy : '';
    const tries = attempts === 1 ? 'at the first try' : `after ${attempts} tries`;
    return answeredBy === variant
      ? `${answeredBy} answered ${tries}`
      : `${answeredBy} answered in the place of ${variant} ${tries}`;
  },
  [Phase.InspectOutput]: ({ flags }) => (flags.length === 0 ? 'guards let it pass' : `guards noted ${flags.join(', ')}`),
  [Phase.Book]: ({ cost }) => `booked ${cost} nano-dollars`,
  [Phase.Reply]: ({ status, outputBytes, gone }) =>
    gone ? 'the client had left' : `sent ${outputBytes} bytes of tensors, status ${status}`,
};

const RECALLS: Readonly<Record<string, string>> = {
  hit: 'found in the cache',
  miss: 'not in the cache',
  shared: 'an equal request was under way; its answer was shared',
  bypass: 'the cache was not asked',
};
