import { byText } from '../by-text.ts';
import type { OperationName, PermissionName } from '../catalog/catalog.ts';

/** What refusals of one call have named: never an id, a key, or anything of an account. */
export interface NamedRefusal {
  readonly operation: OperationName;
  readonly name: PermissionName;
  /** The `Stripe-Version` that the call was asked with. */
  readonly apiVersion: string;
  /** The last day on which it was named, `2026-11-25`. */
  readonly day: string;
  /** How often it was named. */
  readonly count: number;
}

/** Stripe's own spelling; whatever else a refusal quotes is no name. */
export const NAME = /^[a-z0-9]+(?:_[a-z0-9]+){0,11}_(?:read|write)$/;
export const LONGEST_NAME = 80;

/** A server that makes names up fills no disk: so many for a call, and so many in all. */
export const MOST_NAMES_OF_A_CALL = 8;
export const MOST_REFUSALS = 8_000;
export const HIGHEST_COUNT = 1_000_000;

/** Adds what refusals named on `day` to what is kept, within the bounds: the most often and the latest named stay. */
export function addRefusals(
  kept: readonly NamedRefusal[],
  fresh: readonly Pick<NamedRefusal, 'operation' | 'name' | 'apiVersion'>[],
  day: string,
): readonly NamedRefusal[] {
  const byKey = new Map(kept.map((one) => [keyOf(one), one]));
  for (const { operation, name, apiVersion } of fresh) {
    if (!NAME.test(name) || name.length > LONGEST_NAME) continue;
    const key = keyOf({ operation, name, apiVersion });
    const count = Math.min(HIGHEST_COUNT, (byKey.get(key)?.count ?? 0) + 1);
    byKey.set(key, { operation, name, apiVersion, day, count });
  }
  const ofCall = new Map<string, number>();
  return [...byKey.values()]
    .sort(byWeight)
    .filter(({ operation, apiVersion }) => {
      const call = `${operation} ${apiVersion}`;
      const before = ofCall.get(call) ?? 0;
      ofCall.set(call, before + 1);
      return before < MOST_NAMES_OF_A_CALL;
    })
    .sort((a, b) => byText(b.day, a.day))
    .slice(0, MOST_REFUSALS)
    .sort((a, b) => byText(keyOf(a), keyOf(b)));
}

/** The most often named first, of those the latest. */
export function byWeight(a: NamedRefusal, b: NamedRefusal): number {
  return b.count - a.count || byText(b.day, a.day) || byText(a.name, b.name);
}

function keyOf({ operation, name, apiVersion }: Pick<NamedRefusal, 'operation' | 'name' | 'apiVersion'>) {
  return `${operation} ${apiVersion} ${name}`;
}
