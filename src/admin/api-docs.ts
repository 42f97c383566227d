import type { AdminRoute, Need } from './admin-route.ts';
import { mayDo, ROLES } from './roles.ts';

/** The admin API as Markdown tables, made from its routes, for the documentation. */
export function apiDocs(routes: readonly AdminRoute[]): string {
  const needs: readonly Need[] = ['view', 'traffic', 'keys', 'security', 'owner'];
  const roles = Object.keys(ROLES).map(
    (role) => `| \`${role}\` | ${needs.map((need) => (mayDo(role, need) ? 'yes' : '')).join(' | ')} |`,
  );
  const rows = routes.map(({ method, path, needs: need, query, summary }) => {
    const names = Object.keys(query ?? {});
    const asked = names.length === 0 ? '' : `?${names.map((name) => `${name}=`).join('&')}`;
    return `| \`${method} ${path}${asked}\` | ${need} | ${summary} |`;
  });
  return [
    '## Roles',
    '',
    `| role | ${needs.join(' | ')} |`,
    `|---|${needs.map(() => '---|').join('')}`,
    ...roles,
    '',
    '## Operations',
    '',
    'Below `/admin/v1/`.',
    '',
    '| operation | needs | what it does |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
