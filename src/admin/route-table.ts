import { type AdminAnswer, problem } from './admin-answer.ts';
import type { AdminRoute } from './admin-route.ts';
import { ADMIN_ROUTES } from './admin-routes.ts';

const PREFIX = '/admin/v1/';

export interface FoundRoute {
  readonly route: AdminRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** The route that a request is for, or why there is none. */
export function findRoute(method: string, path: string): FoundRoute | AdminAnswer {
  const segments = segmentsOf(path);
  const onPath = segments === null ? [] : ADMIN_ROUTES.flatMap((route) => matchOf(route, segments));
  if (onPath.length === 0) return problem(404, 'Not Found', 'There is no such path.');
  const found = onPath.find(({ route }) => route.method === method);
  if (found !== undefined) return found;
  const allow = onPath.map(({ route }) => route.method).join(', ');
  return problem(405, 'Method Not Allowed', `The path answers to ${allow}.`, { allow });
}

function segmentsOf(path: string): readonly string[] | null {
  if (!path.startsWith(PREFIX)) return null;
  try {
    return path.slice(PREFIX.length).split('/').map(decodeURIComponent);
  } catch {
    // A broken percent escape names no path of ours.
    return null;
  }
}

/** None or one. */
function matchOf(route: AdminRoute, segments: readonly string[]): FoundRoute[] {
  const parts = route.path.split('/');
  if (parts.length !== segments.length) return [];
  const params: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    if (part.startsWith('{')) params[part.slice(1, -1)] = segments[i]!;
    else if (part !== segments[i]) return [];
  }
  return [{ route, params }];
}
