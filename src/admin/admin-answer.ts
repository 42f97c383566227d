import type { ControlPlane } from '../core/control-plane.ts';

/** What an admin route answers. */
export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What is kept of the body for a repetition, where the body itself holds something that is shown once; null keeps it whole. */
  readonly repeated: string | null;
}

/** JSON with BigInt as decimal text, so that no money is rounded. */
export function json(status: number, value: unknown): AdminAnswer {
  return { status, contentType: 'application/json', body: textOf(value), headers: {}, repeated: null };
}

/** Of `value` those fields that `once` has in their place are shown this one time. */
export function jsonOnce(status: number, value: object, once: object): AdminAnswer {
  return { ...json(status, value), repeated: textOf({ ...value, ...once }) };
}

/** A refusal as RFC 9457 problem details; `more` are members of its own. */
export function problem(
  status: number,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
  more: object = {},
): AdminAnswer {
  const body = textOf({ type: 'about:blank', title, status, detail, ...more });
  return { status, contentType: 'application/problem+json', body, headers, repeated: null };
}

const textOf = (value: unknown): string =>
  `${JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))}\n`;

/** Nothing takes effect that is not on record. */
export function unaudited(reason: string): AdminAnswer {
  return problem(503, 'Service Unavailable', `Nothing was changed, since the audit record could not be written: ${reason}`);
}

/** Says which models there are. */
export async function noModel(plane: ControlPlane, model: string): Promise<AdminAnswer> {
  const known = (await plane.plans()).map((plan) => plan.model);
  return problem(404, 'Not Found', `There is no model "${model}"; there are ${known.join(', ')}.`);
}
