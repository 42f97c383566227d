import type { Head } from '../core/exchange.ts';
import type { HeaderPins, Pin, PinTable, PlanMember, Variant } from '../core/traffic.ts';

/** A table without pins. */
export const NO_PINS: PinTable<never> = { pins: [], tenants: new Map<string, never>(), headers: [] };

/** The table of `pins`. Throws a RangeError for a variant that is none of `variants`: whoever states pins has checked them. */
export function pinTable<Member extends PlanMember>(pins: readonly Pin[], variants: readonly Member[]): PinTable<Member> {
  if (pins.length === 0) return NO_PINS;
  const tenants = new Map<string, Member>();
  const headers = new Map<string, Map<string, Member>>();
  for (const pin of pins) {
    const variant = variants.find(({ name }) => name === pin.variant);
    if (variant === undefined) throw new RangeError(`a pin names "${pin.variant}", which carries no traffic`);
    if ('tenant' in pin) {
      tenants.set(pin.tenant, variant);
      continue;
    }
    const values = headers.get(pin.header) ?? new Map<string, Member>();
    headers.set(pin.header, values.set(pin.value, variant));
  }
  const byHeader: HeaderPins<Member>[] = [...headers].map(([name, values]) => ({ name, values }));
  return { pins, tenants, headers: byHeader };
}

/**
 * The variant that a request is pinned to; null where only chance decides. A tenant is proved by its key and a header field only said: so
 * nobody leaves the variant of its tenant by saying something.
 *
 * @hot
 */
export function pinnedTo({ tenants, headers }: PinTable, tenant: string, head: Head): Variant | null {
  if (tenants.size > 0) {
    const variant = tenants.get(tenant);
    if (variant !== undefined) return variant;
  }
  for (let i = 0; i < headers.length; i++) {
    const { name, values } = headers[i]!;
    const value = head.header(name);
    if (value === '') continue;
    const variant = values.get(value);
    if (variant !== undefined) return variant;
  }
  return null;
}
