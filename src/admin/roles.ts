import type { AdminRole } from '../config/admin-token-schema.ts';
import type { Need } from './admin-route.ts';

/** What each role may do: the one place that says so. What is not in here may nothing. */
export const ROLES: Readonly<Record<AdminRole, readonly Need[]>> = {
  viewer: ['view'],
  operator: ['view', 'traffic'],
  'key-admin': ['view', 'keys'],
  // Whoever reads what was recorded changes nothing, and so leaves no records of their own to judge.
  'security-admin': ['view', 'security'],
  owner: ['view', 'traffic', 'keys', 'security', 'owner'],
};

/** A role that is in no table, whatever it is called, may nothing. */
export function mayDo(role: string, need: Need): boolean {
  return Object.hasOwn(ROLES, role) && ROLES[role as AdminRole].includes(need);
}

/** Roles that may do it, for messages and for the API's description. */
export const rolesWith = (need: Need): readonly string[] => Object.keys(ROLES).filter((role) => mayDo(role, need));
