import { allows, type Catalog, isWrite, type Operation, type OperationName } from '../catalog/catalog.ts';
import { operationsAt } from '../catalog/levels.ts';
import { moneyRuleOf } from '../catalog/money.ts';
import type { MoneyRule } from '../catalog/money-rule.ts';
import type { Problem } from '../error.ts';
import type { GuardSection } from '../profile/guard-section.ts';
import type { PermissionEntry, Profile } from '../profile/profile.ts';
import { coversCall } from '../spend/cap.ts';
import type { Grant } from './grant.ts';

/** The operations that the guard lets through for a profile; the key can do more. */
export interface LetThrough {
  readonly own: ReadonlySet<OperationName>;
  /** For calls about a connected account. */
  readonly connect: ReadonlySet<OperationName>;
}

/** What of the key's operations a guarded agent gets to use: widenings stay shut unless the profile says `only: grant`. */
export function letThrough(
  profile: Pick<Profile, 'allow' | 'forbid' | 'permissions' | 'connectPermissions'>,
  { only }: Pick<GuardSection, 'only'>,
  grant: Pick<Grant, 'asked' | 'effective' | 'connectPermissions'>,
  catalog: Catalog,
): LetThrough {
  const checks = profile.allow.map(({ operation }) => operation);
  const forbidden = new Set(profile.forbid.map(({ operation }) => operation));
  const without = (names: Iterable<OperationName>) =>
    new Set([...names].filter((name) => !forbidden.has(name)));
  const connect = catalog.closure(grant.connectPermissions);
  switch (only) {
    case 'checks':
      return {
        own: without(checks),
        connect: without(checks.filter((name) => mayCall(connect, name, catalog))),
      };
    case 'grant':
      return {
        own: without(allowedBy(grant.effective, catalog)),
        connect: without(allowedBy(connect, catalog)),
      };
    case 'asked':
      return {
        own: without([...grant.asked, ...checks].filter((name) => mayCall(grant.effective, name, catalog))),
        connect: without(askedOf(profile.connectPermissions, catalog)),
      };
  }
}

function allowedBy(effective: ReadonlySet<string>, catalog: Catalog): OperationName[] {
  return catalog.operations.filter((operation) => allows(effective, operation)).map(({ name }) => name);
}

function mayCall(effective: ReadonlySet<string>, name: OperationName, catalog: Catalog): boolean {
  const operation = catalog.operation(name);
  return operation !== undefined && allows(effective, operation);
}

function askedOf(entries: readonly PermissionEntry[], catalog: Catalog): OperationName[] {
  return entries.flatMap((entry) => {
    const operations: readonly Operation[] = entry.raw
      ? catalog.operationsOf(entry.name).filter((operation) => !isWrite(operation) || entry.level === 'write')
      : operationsAt(entry.name, entry.level, catalog);
    return operations.map(({ name }) => name);
  });
}

/** Why a profile with a `guard` section cannot be served; empty without one. */
export function guardContradictions(profile: Profile, grant: Grant, catalog: Catalog): readonly Problem[] {
  const { guard } = profile;
  if (guard === undefined) return [];
  const { own, connect } = letThrough(profile, guard, grant, catalog);
  const through = new Set([...own, ...connect]);
  return [...uncapped(guard, through, profile), ...idleCaps(guard, through, profile)];
}

/** Money operations that would be refused for ever, since no cap says how much: a forgotten line is no leave. */
function uncapped(guard: GuardSection, through: ReadonlySet<OperationName>, profile: Profile): Problem[] {
  const missing = [...through].filter((name) => {
    const rule = moneyRuleOf(name);
    if (rule === undefined || !hasAmount(rule) || guard.unpriced.of.includes(name)) return false;
    return !guard.caps.some((cap) => cap.amounts.length > 0 && coversCall(cap, name, rule.direction));
  });
  if (missing.length === 0) return [];
  return [
    {
      message: `No cap says how much ${missing.join(', ')} may move.`,
      location: guard.location ?? profile.location,
      hint: `Add a line under "guard.caps", such as "- { per: run, amount: 100.00 usd, of: [${missing[0]}] }".`,
    },
  ];
}

/** Whether the guard counts the amount of an operation, before or after a look-up. */
function hasAmount({ moneyClass, mode, note }: MoneyRule): boolean {
  if (moneyClass === 'request' || moneyClass === 'object') return true;
  return moneyClass === 'undoes' && mode !== 'unknown' && !note.startsWith('undoes what had been counted');
}

function idleCaps(guard: GuardSection, through: ReadonlySet<OperationName>, profile: Profile): Problem[] {
  const byCap = guard.caps.flatMap((cap) =>
    cap.of
      .filter((name) => name.includes('.') && !through.has(name))
      .map((name) => ({ name, location: cap.location })),
  );
  const byName = guard.unpriced.of
    .filter((name) => !through.has(name))
    .map((name) => ({ name, location: guard.location }));
  return [...byCap, ...byName].map(({ name, location }) => ({
    message: `${name} is limited under "guard", and is not let through.`,
    location: location ?? profile.location,
    hint: 'Ask for it under "permissions" or "checks.allow", or take the line out.',
  }));
}
