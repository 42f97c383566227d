import { describe, expect, it } from 'vitest';
import type { Route, Variant } from '../../../src/core/traffic.ts';
import { variantByVersion, variantsByVersion } from '../../../src/core/visibility.ts';

const variant = (name: string, labels: readonly string[] = []): Variant => ({ name, labels }) as unknown as Variant;
/** Stable first, as in every plan. */
const routeOf = (...variants: Variant[]): Route => ({ plan: { variants } }) as unknown as Route;

describe('variantByVersion', () => {
  it('takes a name before a label, and both before a role', () => {
    const route = routeOf(variant('v1', ['canary']), variant('v2', ['v1', 'next']));
    expect(variantByVersion(route, 'v1')?.name).toBe('v1');
    expect(variantByVersion(route, 'next')?.name).toBe('v2');
    expect(variantByVersion(route, 'canary')?.name).toBe('v1');
    expect(variantByVersion(routeOf(variant('v1'), variant('stable')), 'stable')?.name).toBe('stable');
  });

  it('takes stable and canary for roles where nothing else has that name', () => {
    expect(variantByVersion(routeOf(variant('v1'), variant('v2')), 'stable')?.name).toBe('v1');
    expect(variantByVersion(routeOf(variant('v1'), variant('v2')), 'canary')?.name).toBe('v2');
    expect(variantByVersion(routeOf(variant('v1')), 'canary')).toBeNull();
    expect(variantByVersion(routeOf(variant('v1'), variant('v2'), variant('v3')), 'canary')).toBeNull();
    expect(variantByVersion(routeOf(variant('v1')), 'shadow')).toBeNull();
  });
});

describe('variantsByVersion', () => {
  it('names all variants where no version is asked for, one where it fits, and none where it does not', () => {
    const route = routeOf(variant('v1'), variant('v2'));
    expect(variantsByVersion(route, '').map((one) => one.name)).toEqual(['v1', 'v2']);
    expect(variantsByVersion(route, 'canary').map((one) => one.name)).toEqual(['v2']);
    expect(variantsByVersion(route, 'v9')).toEqual([]);
  });
});
