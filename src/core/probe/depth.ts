/**
 * How much is probed. `record`: nothing, Stripe's record of the key is read instead. `checks`: the profile's named calls. `permissions`: those, every accepted or
 * writing widening, and at least one probe for each permission in the catalog. `endpoints`: every
 * operation. The shallowest first.
 */
export const DEPTHS = ['record', 'checks', 'permissions', 'endpoints'] as const;
export type Depth = (typeof DEPTHS)[number];

/** Whether `a` probes less than `b`. */
export function isShallower(a: Depth, b: Depth): boolean {
  return DEPTHS.indexOf(a) < DEPTHS.indexOf(b);
}

/** The one that probes most; `record` where there is none. */
export function deepest(depths: readonly Depth[]): Depth {
  return depths.reduce((deep, depth) => (isShallower(deep, depth) ? depth : deep), DEPTHS[0] as Depth);
}
