import type { AnswerSchema } from '../config/admin-answers.ts';
import type { BodySchema } from '../config/admin-bodies.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import type { AdminAnswer } from './admin-answer.ts';

/** What a caller must be allowed to do: read, move traffic, manage keys, read what was recorded, or everything. */
export type Need = 'view' | 'traffic' | 'keys' | 'security' | 'owner';

/** What a route sees of a request. */
export interface AdminCall {
  /** The parts of the path that stand in braces in the route, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** As the route's schema gives it; null where the route takes none. */
  readonly body: unknown;
  /** Who asks, as the audit record names them. */
  readonly actor: string;
}

/** What one status of an answer means, and its body; null for problem details. */
export interface DescribedAnswer {
  readonly means: string;
  readonly schema: AnswerSchema | null;
}

/** One operation of the admin API: the one place that says its path, who may use it, and what it takes. */
export interface AdminRoute {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Below `/admin/v1/`; `{name}` stands for one segment. */
  readonly path: string;
  /** Unique name, as clients generated from the API's description call it. */
  readonly operation: string;
  readonly summary: string;
  readonly needs: Need;
  /** Null takes no body. An absent body is read as an empty object. */
  readonly body: BodySchema | null;
  /** Query parameters that it heeds, each with what it does; all may be left out. */
  readonly query?: Readonly<Record<string, string>>;
  /** By status, besides what every route may answer. Without any, 200 is described as JSON. */
  readonly answers?: Readonly<Record<number, DescribedAnswer>>;
  run(plane: ControlPlane, call: AdminCall): AdminAnswer | Promise<AdminAnswer>;
}
