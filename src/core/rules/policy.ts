import { z } from 'zod';
import { allows, type Catalog, type OperationName, type PermissionName } from '../catalog/catalog.ts';
import { RISK_TIERS, type RiskTier, riskOf } from '../catalog/risk.ts';
import { didYouMean } from '../document/nearest.ts';
import { durationMs } from '../duration.ts';
import type { Problem, SourceLocation } from '../error.ts';
import type { Grant } from '../grant/grant.ts';
import { locateOperation, locatePermission } from '../profile/locate-operation.ts';
import type { Profile } from '../profile/profile.ts';
import { checkGuardPolicy, type GuardPolicy, guardPolicySchema } from './guard-policy.ts';

/** The name under which a policy is found in the working folder. */
export const POLICY_FILE = 'keyaudit.policy.yaml';

/** `other` is what no tier says anything about, so that denying it would mean nothing. */
export const DENIABLE_TIERS = RISK_TIERS.filter((tier) => tier !== 'other');

const nameList = z.array(z.string().min(1)).min(1);

/** The policy language as a zod schema: the shape only; names are checked by `readPolicy`. */
export const policySchema = z.strictObject({
  deny: z
    .strictObject({
      operations: nameList.optional().describe('Calls that no key may make'),
      permissions: nameList.optional().describe("Permissions, by Stripe's names, that no key may hold"),
      risks: z.array(z.enum(DENIABLE_TIERS)).min(1).optional().describe('Risk tiers that no key may reach'),
    })
    .optional()
    .describe('What no profile may hold, asked for or come along'),
  require: z
    .strictObject({
      why: z.enum(['writes', 'all']).optional().describe('A "why" on every write, or on every permission'),
      until: z.literal('accepts').optional().describe('An end date on every acceptance'),
      maxKeyAge: z
        .string()
        .regex(/^[1-9][0-9]{0,4}[dhw]$/, { message: 'a number with d, h or w, such as 90d', abort: true })
        .refine((age) => durationMs(age) !== undefined, 'at most ten years')
        .optional()
        .describe('The age at which a key must be rotated, such as 90d'),
      seen: z
        .array(z.enum(RISK_TIERS))
        .min(1)
        .optional()
        .describe('Risk tiers of which verify must see every permission, present or not'),
    })
    .optional(),
  except: z
    .array(
      z.strictObject({
        profile: z.string().min(1).describe('The name of a profile'),
        deny: nameList.describe('What it may hold all the same: operations, permissions or risk tiers'),
        reason: z.string().min(1),
        until: z.iso.date().optional().describe('Last day on which this counts, YYYY-MM-DD'),
      }),
    )
    .optional()
    .describe('Profiles to which a part of "deny" does not apply'),
  guard: guardPolicySchema.optional().describe('What the guard section of every profile must hold to'),
});

/** Something that the policy denies, with the line that denies it. */
export interface Denied<T extends string> {
  readonly name: T;
  readonly location: SourceLocation;
}

export interface PolicyException {
  readonly profile: string;
  readonly deny: readonly string[];
  readonly reason: string;
  readonly until?: string;
  readonly location: SourceLocation;
}

/** What holds for every profile of an organisation. */
export interface Policy {
  readonly file: string;
  readonly operations: readonly Denied<OperationName>[];
  readonly permissions: readonly Denied<PermissionName>[];
  readonly risks: readonly Denied<RiskTier>[];
  readonly why?: 'writes' | 'all';
  readonly untilOnAccepts: boolean;
  readonly maxKeyAge?: { readonly text: string; readonly ms: number; readonly location: SourceLocation };
  /** Risk tiers of which nothing may be unseen. */
  readonly seen: readonly RiskTier[];
  readonly except: readonly PolicyException[];
  readonly guard?: GuardPolicy | undefined;
}

/** Where a profile breaks the policy: the line of the profile, and in the hint that of the policy. */
export function checkPolicy(
  policy: Policy,
  profile: Profile,
  grant: Grant,
  { catalog, today }: { catalog: Catalog; today: string },
): readonly Problem[] {
  const excepted = new Set(
    policy.except
      .filter((one) => one.profile === profile.name && (one.until === undefined || one.until >= today))
      .flatMap(({ deny }) => deny),
  );
  const connect = catalog.closure(grant.connectPermissions);
  const held = new Set([...grant.effective, ...connect]);
  const place = (permission: PermissionName): SourceLocation =>
    locatePermission(permission, profile, catalog, { connect: !grant.effective.has(permission) });
  const problems: Problem[] = [];
  for (const { name, location } of policy.operations) {
    const operation = catalog.operation(name);
    if (operation === undefined || excepted.has(name) || !allows(held, operation)) continue;
    const by = operation.permissions.find((permission) => held.has(permission)) ?? '';
    problems.push({
      message: `${profile.name} could call ${name} (with ${by}), which the policy denies.`,
      location: grant.effective.has(by)
        ? locateOperation(operation, profile, catalog, { accepted: grant.accepted.has(name) })
        : place(by),
      hint: denied(location),
    });
  }
  for (const { name, location } of policy.permissions) {
    if (!held.has(name) || excepted.has(name)) continue;
    problems.push({
      message: `${profile.name} would hold ${name}, which the policy denies.`,
      location: place(name),
      hint: denied(location),
    });
  }
  for (const { name: tier, location } of policy.risks) {
    if (excepted.has(tier)) continue;
    for (const permission of [...held].sort()) {
      const risk = riskOf(permission);
      if (risk.tier !== tier || excepted.has(permission)) continue;
      problems.push({
        message: `${profile.name} would hold ${permission}, of the denied risk tier ${tier}. ${risk.why}`,
        location: place(permission),
        hint: denied(location),
      });
    }
  }
  const guard = policy.guard === undefined ? [] : checkGuardPolicy(policy.guard, profile, grant, catalog);
  return [...problems, ...missingReasons(policy, profile), ...missingEnds(policy, profile), ...guard];
}

/** Exceptions for profiles that there are not: a slip of the pen would leave one without effect. */
export function unknownExceptions(policy: Policy, profiles: readonly string[]): readonly Problem[] {
  return policy.except
    .filter(({ profile }) => !profiles.includes(profile))
    .map(({ profile, location }) => ({
      message: `There is no profile "${profile}", so that this exception means nothing.`,
      location,
      hint: didYouMean(profile, profiles) ?? `Known profiles: ${profiles.join(', ')}.`,
    }));
}

function denied({ file, line }: SourceLocation): string {
  return `${file}:${line} denies it. Ask for less, or name an exception there, with a reason.`;
}

function missingReasons({ why, file }: Policy, profile: Profile): Problem[] {
  if (why === undefined) return [];
  return [...profile.permissions, ...profile.connectPermissions]
    .filter((entry) => entry.why === undefined && (why === 'all' || entry.level === 'write'))
    .map(({ name, level, location }) => ({
      message: `${profile.name} does not say why it needs "${name}: ${level}", which the policy requires.`,
      location,
      hint: `Write "${name}: { level: ${level}, why: … }" (${file}: require.why: ${why}).`,
    }));
}

function missingEnds({ untilOnAccepts, file }: Policy, profile: Profile): Problem[] {
  if (!untilOnAccepts) return [];
  return profile.accept
    .filter(({ until }) => until === undefined)
    .map(({ location }) => ({
      message: `${profile.name} accepts a widening without an end, which the policy requires.`,
      location,
      hint: `Add "until: YYYY-MM-DD" (${file}: require.until: accepts).`,
    }));
}
