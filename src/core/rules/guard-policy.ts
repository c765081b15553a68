import { z } from 'zod';
import type { Catalog, OperationName } from '../catalog/catalog.ts';
import { moneyRuleOf } from '../catalog/money.ts';
import type { Problem, SourceLocation } from '../error.ts';
import type { Grant } from '../grant/grant.ts';
import { letThrough } from '../grant/let-through.ts';
import { type GuardSection, guardSchema, type LocatedCap } from '../profile/guard-section.ts';
import type { Profile } from '../profile/profile.ts';
import { formatAmount } from '../spend/amount.ts';
import { amountIn, capName, coversCall } from '../spend/cap.ts';

/** What a policy asks of every profile's `guard` section: the shape. */
export const guardPolicySchema = z.strictObject({
  require: z
    .literal('caps')
    .optional()
    .describe('Every profile that can move money has a "guard" section with caps'),
  max: guardSchema.shape.caps
    .unwrap()
    .min(1)
    .optional()
    .describe('No profile may let more through: each line needs a cap of its kind that is as low'),
  never: z.array(z.string().min(1)).min(1).optional().describe('Operations that no guard lets through'),
});

/** The part of a policy about guards. */
export interface GuardPolicy {
  readonly require: boolean;
  readonly max: readonly LocatedCap[];
  readonly never: readonly { readonly name: OperationName; readonly location: SourceLocation }[];
  readonly location: SourceLocation;
}

/** Where a profile breaks the policy about guards. */
export function checkGuardPolicy(
  policy: GuardPolicy,
  profile: Profile,
  grant: Grant,
  catalog: Catalog,
): readonly Problem[] {
  const { guard } = profile;
  const through = letThrough(profile, guard ?? { only: 'asked' }, grant, catalog);
  const names = new Set([...through.own, ...through.connect]);
  const moving = [...names].filter(
    (name) => !['none', 'test'].includes(moneyRuleOf(name)?.moneyClass ?? 'none'),
  );
  if (guard === undefined) {
    if (!policy.require || moving.length === 0) return [];
    return [
      {
        message: `${profile.name} can move money (${moving.slice(0, 3).join(', ')}) and has no "guard" section, which the policy requires.`,
        location: profile.location,
        hint: `Add "guard: { caps: [{ per: run, amount: 100.00 usd }] }" (${at(policy.location)}).`,
      },
    ];
  }
  return [...nevers(policy, profile, guard, names), ...tooMuch(policy, profile, guard, moving)];
}

function nevers(
  { never }: GuardPolicy,
  profile: Profile,
  guard: GuardSection,
  through: ReadonlySet<OperationName>,
): Problem[] {
  return never
    .filter(({ name }) => through.has(name))
    .map(({ name, location }) => ({
      message: `${profile.name} has its guard let ${name} through, which the policy never allows.`,
      location: guard.location ?? profile.location,
      hint: `${at(location)} says so. Forbid it under "checks.forbid", or ask for less.`,
    }));
}

function tooMuch(
  { max }: GuardPolicy,
  profile: Profile,
  guard: GuardSection,
  moving: readonly OperationName[],
): Problem[] {
  return max.flatMap((most) =>
    most.amounts.flatMap((amount) => {
      const free = moving.find((name) => {
        const rule = moneyRuleOf(name);
        if (rule === undefined || !coversCall(most, name, rule.direction)) return false;
        // What is let through by number alone has no amount.
        if (guard.unpriced.of.includes(name)) return false;
        const isMovable = guard.caps.some(
          (cap) => amountIn(cap, amount.currency) !== undefined && coversCall(cap, name, rule.direction),
        );
        const isHeld = guard.caps.some(
          (cap) =>
            cap.per === most.per &&
            coversCall(cap, name, rule.direction) &&
            (amountIn(cap, amount.currency) ?? Number.POSITIVE_INFINITY) <= amount.minor,
        );
        return isMovable && !isHeld;
      });
      return free === undefined
        ? []
        : [
            {
              message: `${profile.name} lets ${free} move more than ${formatAmount(amount)} ${capName(most)}, the most that the policy allows.`,
              location:
                guard.caps.find(({ per }) => per === most.per)?.location ??
                guard.location ??
                profile.location,
              hint: `Add or lower a cap "per: ${most.per}" (${most.location === undefined ? 'guard.max' : at(most.location)}).`,
            },
          ];
    }),
  );
}

function at({ file, line }: SourceLocation): string {
  return `${file}:${line}`;
}
