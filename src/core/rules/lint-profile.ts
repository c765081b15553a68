import { allows, type Catalog, isWrite, type PermissionName } from '../catalog/catalog.ts';
import { permissionsAt } from '../catalog/levels.ts';
import { isMarkedDirect } from '../catalog/remark.ts';
import { riskOf } from '../catalog/risk.ts';
import { DAY_MS } from '../duration.ts';
import type { Problem } from '../error.ts';
import type { Grant } from '../grant/grant.ts';
import { locatePermission } from '../profile/locate-operation.ts';
import type { PermissionEntry, Profile } from '../profile/profile.ts';

/** How near its end date an acceptance is worth a warning, in days. */
const NEAR_END_DAYS = 30;

/** Variables that say nothing of the role; agents end up with each other's key. */
const ROLELESS_VARIABLES: ReadonlySet<string> = new Set([
  'API_KEY',
  'STRIPE',
  'STRIPE_API_KEY',
  'STRIPE_KEY',
  'STRIPE_LIVE_KEY',
  'STRIPE_RESTRICTED_KEY',
  'STRIPE_SECRET',
  'STRIPE_SECRET_KEY',
  'STRIPE_TEST_KEY',
]);

/** What is not wrong in a profile but will hurt: each with its place and what to do. */
export function lintProfile(profile: Profile, grant: Grant, catalog: Catalog, today: string): Problem[] {
  return [
    ...unexercised(profile, catalog),
    ...idleForbids(profile, catalog),
    ...acceptances(profile, grant, today),
    ...unacceptedWrites(profile, grant),
    ...unexplainedRisks(profile, catalog),
    ...directOnConnect(profile, grant, catalog),
    ...rolelessVariable(profile),
  ];
}

/** Profiles that would hand one variable to two agents. */
export function sharedVariables(profiles: readonly Profile[]): Map<Profile, Problem> {
  const problems = new Map<Profile, Problem>();
  for (const [variable, sharing] of groupByVariable(profiles)) {
    if (sharing.length < 2) continue;
    for (const profile of sharing) {
      const others = sharing.filter((other) => other !== profile).map((other) => other.name);
      problems.set(profile, {
        message: `The variable ${variable} is also that of ${others.join(', ')}.`,
        location: profile.location,
        hint: 'Give each profile a variable of its own with "env:".',
      });
    }
  }
  return problems;
}

function groupByVariable(profiles: readonly Profile[]): Map<string, Profile[]> {
  const groups = new Map<string, Profile[]>();
  for (const profile of profiles) {
    const group = groups.get(profile.env);
    if (group === undefined) groups.set(profile.env, [profile]);
    else group.push(profile);
  }
  return groups;
}

function unexercised(profile: Profile, catalog: Catalog): Problem[] {
  const checks = profile.allow.flatMap(({ operation }) => catalog.operation(operation) ?? []);
  return [...profile.permissions, ...profile.connectPermissions].flatMap((entry) => {
    const own = entry.raw ? [entry.name] : [...new Set(permissionsAt(entry.name, entry.level, catalog))];
    const reach = new Set(own);
    const exercised = checks.some(
      (operation) =>
        allows(reach, operation) &&
        (entry.raw || operation.resource === entry.name) &&
        (entry.level !== 'write' || isWrite(operation) || !hasWrites(entry, catalog)),
    );
    if (exercised) return [];
    const example = exampleFor(entry, catalog);
    return [
      {
        message: `No check under "allow" exercises ${entry.name}: ${entry.level}.`,
        location: entry.location,
        hint:
          example === undefined
            ? 'Name a call that needs it under "allow".'
            : `Name a call that needs it under "allow", such as ${example}.`,
      },
    ];
  });
}

function hasWrites(entry: PermissionEntry, catalog: Catalog): boolean {
  return catalog
    .operationsIn(entry.name)
    .some((operation) => isWrite(operation) && operation.permissions.length > 0);
}

function exampleFor(entry: PermissionEntry, catalog: Catalog): string | undefined {
  const operations = entry.raw ? catalog.operationsOf(entry.name) : catalog.operationsIn(entry.name);
  const fits = operations.filter(
    (operation) => operation.permissions.length > 0 && isWrite(operation) === (entry.level === 'write'),
  );
  return (fits[0] ?? operations[0])?.name;
}

/** A call that no restricted key can make, so far as the catalog knows, proves nothing when it is refused. */
function idleForbids(profile: Profile, catalog: Catalog): Problem[] {
  return profile.forbid.flatMap(({ operation: name, location }) =>
    catalog.operation(name)?.permissions.length === 0
      ? [
          {
            message: `Nothing can violate the forbid of ${name}: no permission is known that grants it.`,
            location,
            hint: 'Forbid a call whose permission is known ("keyaudit permissions CALL" tells).',
          },
        ]
      : [],
  );
}

function acceptances(profile: Profile, grant: Grant, today: string): Problem[] {
  const widened = new Set(grant.widenings.flatMap((widening) => widening.operations));
  return profile.accept.flatMap((entry) => {
    const problems: Problem[] = [];
    const { location, until } = entry;
    const needless = entry.operations.map(({ operation }) => operation).filter((name) => !widened.has(name));
    if (needless.length > 0) {
      problems.push({
        message: `${needless.join(', ')} ${needless.length === 1 ? 'is' : 'are'} accepted, but this grant does not bring ${needless.length === 1 ? 'it' : 'them'}.`,
        location,
        hint: 'Take it out, or it will hide a later over-grant.',
      });
    }
    if (until !== undefined && until < today) {
      problems.push({
        message: `This acceptance ended on ${until} and counts as absent.`,
        location,
        hint: 'Renew the date with a fresh reason, or take it out.',
      });
    } else if (until !== undefined && daysBetween(today, until) <= NEAR_END_DAYS) {
      problems.push({
        message: `This acceptance ends on ${until}, in ${daysBetween(today, until)} days.`,
        location,
        hint: 'Decide whether to renew it before verify fails.',
      });
    }
    return problems;
  });
}

function unacceptedWrites(profile: Profile, grant: Grant): Problem[] {
  return grant.widenings
    .filter((widening) => !widening.accepted && (widening.canWrite || profile.widening === 'strict'))
    .map((widening) => ({
      message: `${widening.permission}${widening.connect === true ? ' with Stripe-Account' : ''} also allows ${widening.operations.join(', ')}, which the profile neither asks for nor accepts; verify will report an over-grant.`,
      location: profile.location,
      hint: `Accept by name: "accept: [{ operations: [${widening.operations.join(', ')}], reason: … }]", or ask for less.`,
    }));
}

function unexplainedRisks(profile: Profile, catalog: Catalog): Problem[] {
  return [...profile.permissions, ...profile.connectPermissions].flatMap((entry) => {
    if (entry.why !== undefined) return [];
    const names: readonly PermissionName[] = entry.raw
      ? [entry.name]
      : permissionsAt(entry.name, entry.level, catalog);
    const risky = names
      .map((name) => ({ name, ...riskOf(name) }))
      .find(({ tier }) => tier !== 'other' && tier !== 'personal-data');
    return risky === undefined
      ? []
      : [
          {
            message: `${entry.name}: ${entry.level} is a risky grant (${risky.tier}) without a "why".`,
            location: entry.location,
            hint: `Write "${entry.name}: { level: ${entry.level}, why: … }". ${risky.why}`,
          },
        ];
  });
}

/** What does not work with `Stripe-Account` is of no use among the Connect permissions. */
function directOnConnect(profile: Profile, { connectPermissions }: Grant, catalog: Catalog): Problem[] {
  return connectPermissions.filter(isMarkedDirect).map((name) => ({
    message: `Stripe's permissions reference marks ${name} "(Direct)", which, it says, does not cover calls with Stripe-Account.`,
    location: locatePermission(name, profile, catalog, { connect: true }),
    hint: 'Ask for it under "permissions"; verify --account tells whether it does anything here. Few marks are known: docs/observed.md.',
  }));
}

function rolelessVariable(profile: Profile): Problem[] {
  if (!ROLELESS_VARIABLES.has(profile.env.toUpperCase())) return [];
  return [
    {
      message: `The variable ${profile.env} says nothing of the role.`,
      location: profile.location,
      hint: 'Name it after the agent, such as STRIPE_REFUND_AGENT_KEY, so that no agent takes the key of another.',
    },
  ];
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}
