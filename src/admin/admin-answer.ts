/** What an admin route answers. */
export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** JSON with BigInt as decimal text, so that no money is rounded. */
export function json(status: number, value: unknown): AdminAnswer {
  const body = JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
  return { status, contentType: 'application/json', body: `${body}\n`, headers: {} };
}

/** A refusal as RFC 9457 problem details. */
export function problem(
  status: number,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): AdminAnswer {
  const body = JSON.stringify({ type: 'about:blank', title, status, detail });
  return { status, contentType: 'application/problem+json', body: `${body}\n`, headers };
}

/** Nothing takes effect that is not on record. */
export function unaudited(reason: string): AdminAnswer {
  return problem(503, 'Service Unavailable', `Nothing was changed, since the audit record could not be written: ${reason}`);
}
