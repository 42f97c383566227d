import { createHash } from 'node:crypto';
import type { PlanCause } from '../../../core/plan-control.ts';
import type { PlanMember, Role, TrafficPlan } from '../../../core/traffic.ts';
import { type PlanContent, withContent } from '../../../router/plan-change.ts';
import { planOf } from '../../../router/traffic-plan.ts';
import type { PlanBase } from './plan-base.ts';
import { runsOf, slotsOf } from './slot-runs.ts';

/** One plan of one model as it stands in the history: everything that decides where callers go, and how it came to be. */
export interface PlanRecord extends PlanContent {
  readonly model: string;
  /** ISO time. */
  readonly at: string;
  readonly cause: PlanCause;
  readonly actor: string;
  readonly reason: string;
  /** The revision it went back to; 0 when it went back to none. */
  readonly restores: number;
  /** Whom the slots count; stable first. */
  readonly variants: readonly PlanMember[];
  /** What the config said when it was made. */
  readonly base: PlanBase;
}

const FORMAT = 1;

/** A line of JSON that ends with the digest of all before it, and a line feed. */
export function lineOf(record: PlanRecord): Buffer {
  const { variants, weights, slots, base, ...rest } = record;
  const { model, revision, ...others } = rest;
  const members = variants.map(({ name, role }) => [name, role]);
  const stored = { format: FORMAT, model, revision, ...others, variants: members, weightsBp: weights, slots: runsOf(slots) };
  const text = JSON.stringify({ ...stored, config: base }).slice(0, -1);
  return Buffer.from(`${text}${SEAL}${digestOf(Buffer.from(text))}${END}\n`);
}

const SEAL = ',"sha256":"';
const END = '"}';
const DIGEST_CHARS = 64;
const TAIL_BYTES = SEAL.length + DIGEST_CHARS + END.length;

const digestOf = (text: Buffer): string => createHash('sha256').update(text).digest('hex');

/** Whether `line`, without its line feed, is as it was written. */
export function isWhole(line: Buffer): boolean {
  const at = line.length - TAIL_BYTES;
  if (at < 0) return false;
  const tail = line.toString('latin1', at);
  return tail === `${SEAL}${digestOf(line.subarray(0, at))}${END}`;
}

/** The revision that a line speaks of, without reading all of it; 0 when it says none. */
export function revisionIn(line: Buffer): number {
  return Number(/^\{"format":\d+,"model":"[^"]*","revision":(\d{1,15}),/.exec(line.toString('latin1', 0, HEAD_BYTES))?.[1] ?? 0);
}

const HEAD_BYTES = 200;

interface StoredRecord extends Omit<PlanRecord, 'variants' | 'weights' | 'slots' | 'base'> {
  readonly format: number;
  readonly variants: readonly (readonly [name: string, role: Role])[];
  readonly weightsBp: readonly number[];
  readonly slots: string;
  readonly config: PlanBase;
}

/** The record of a whole line. Throws where it is none of ours: another model's, or of a later version. */
export function recordOf(line: Buffer, model: string): PlanRecord {
  const stored = JSON.parse(line.toString()) as StoredRecord & { readonly sha256: string };
  if (stored.format !== FORMAT) throw new RangeError(`found format ${stored.format}, expected ${FORMAT}`);
  if (stored.model !== model) throw new RangeError(`found a plan of the model "${stored.model}", expected "${model}"`);
  const { format: _, sha256: __, weightsBp: weights, config: base, slots: runs, variants: members, ...rest } = stored;
  const variants = members.map(([name, role]) => ({ name, role }));
  const record = { ...rest, variants, weights, slots: slotsOf(runs, variants.length), base };
  planOfRecord(record, []);
  return record;
}

/** The plan that was in force. Throws a RangeError where the record contradicts itself. */
export function planOfRecord(record: PlanRecord, shadows: TrafficPlan<PlanMember>['shadows']): TrafficPlan<PlanMember> {
  const { model, revision, variants, weights, slots } = record;
  const plan = planOf({
    model,
    revision,
    variants: variants.map((variant, i) => ({ variant, weightBp: weights[i] ?? 0 })),
    shadows,
  });
  const held = new Array<number>(variants.length).fill(0);
  for (const owner of slots) held[owner]!++;
  if (held.some((count, i) => count !== plan.weights[i])) throw new RangeError('found slots that are not as the weights say');
  return withContent(plan, record);
}
