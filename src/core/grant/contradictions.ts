import { allows, type Catalog, isWrite, type Operation } from '../catalog/catalog.ts';
import { permissionsAt } from '../catalog/levels.ts';
import type { Problem } from '../error.ts';
import type { PermissionEntry, Profile } from '../profile/profile.ts';
import { someOf } from '../some-of.ts';
import { causesFor, type GrantSide } from './grant.ts';

interface Sides {
  readonly profile: Profile;
  readonly catalog: Catalog;
  readonly own: GrantSide;
  readonly connect: GrantSide;
}

/** One side of a grant, with the profile's lines that it comes from. */
interface SoFar extends GrantSide {
  readonly catalog: Catalog;
  readonly entries: readonly PermissionEntry[];
  readonly withAccount: string;
}

/** Why no key can satisfy a profile: what it forbids and what it names hold for both sides. */
export function contradictions({ profile, catalog, own, connect }: Sides): Problem[] {
  const sides: readonly SoFar[] = [
    { ...own, catalog, entries: profile.permissions, withAccount: '' },
    { ...connect, catalog, entries: profile.connectPermissions, withAccount: ' with Stripe-Account' },
  ];
  return [
    ...profile.forbid.flatMap((check) => forbidProblems(check, profile, sides)),
    ...profile.allow.flatMap(({ operation: name, location }) => {
      const operation = catalog.operation(name);
      const isCovered =
        operation === undefined || sides.some(({ effective }) => allows(effective, operation));
      return isCovered ? [] : [{ ...allowedButNotGranted(operation), location }];
    }),
    ...(profile.only ? sides.flatMap((side) => onlyProblems(side, profile)) : []),
  ];
}

function forbidProblems(
  { operation: name, location }: Profile['forbid'][number],
  profile: Profile,
  sides: readonly SoFar[],
): Problem[] {
  const allowed = new Set(profile.allow.map((check) => check.operation));
  const [own] = sides;
  const operation = own?.catalog.operation(name);
  if (operation === undefined) return [];
  if (allowed.has(name)) {
    const message = `${name} stands under both "allow" and "forbid".`;
    return [{ message, location, hint: 'Keep it on one side.' }];
  }
  return sides
    .filter(({ effective }) => allows(effective, operation))
    .map((side) => ({
      message: forbiddenButGranted(operation, side),
      location,
      hint: waysOut(operation, side),
    }));
}

function onlyProblems({ widenings, withAccount }: SoFar, profile: Profile): Problem[] {
  return widenings
    .filter((one) => !one.accepted)
    .map((widening) => ({
      message: `"only: true" cannot be had: ${widening.permission}${withAccount} also allows ${someOf(widening.operations)}.`,
      location: profile.location,
      hint: 'Accept these by name with a reason, or drop "only: true".',
    }));
}

function forbiddenButGranted(operation: Operation, side: SoFar): string {
  const asking = askingEntry(operation, side);
  const { permission, implied } = causesFor(side.permissions, side.catalog)(operation);
  if (side.asked.has(operation.name) && asking !== undefined) {
    return `${operation.name} cannot be forbidden${side.withAccount}: the profile itself asks for it with "${asking.name}: ${asking.level}".`;
  }
  const because =
    implied === undefined
      ? `Stripe has one permission, ${permission}, for both`
      : `${permission} brings ${implied} with it`;
  return `${operation.name} cannot be forbidden${side.withAccount} to a key with "${asking?.name ?? permission}: ${asking?.level ?? 'write'}", because ${because}.`;
}

function waysOut(operation: Operation, side: SoFar): string {
  const asking = askingEntry(operation, side);
  const lower =
    asking === undefined
      ? ''
      : asking.level === 'write'
        ? ` or lower "${asking.name}" to read,`
        : ` or drop "${asking.name}",`;
  return side.asked.has(operation.name)
    ? `Take it out of "forbid",${lower.replace(/,$/, '')}.`
    : `Take it out of "forbid" and accept it by name with a reason,${lower} or let a person make this call.`;
}

/** The line of the profile that brings the operation. */
function askingEntry(operation: Operation, { entries, catalog }: SoFar): PermissionEntry | undefined {
  const brings = (entry: PermissionEntry) =>
    allows(
      catalog.closure(entry.raw ? [entry.name] : permissionsAt(entry.name, entry.level, catalog)),
      operation,
    );
  return entries.find((entry) => entry.name === operation.resource && brings(entry)) ?? entries.find(brings);
}

function allowedButNotGranted(operation: Operation): Problem {
  if (operation.permissions.length === 0) {
    return {
      message: `${operation.name} cannot be allowed: no permission is known for ${operation.method} ${operation.path}.`,
      hint: 'Take it out of "allow", or correct the catalog (docs/catalog.md).',
    };
  }
  const level = isWrite(operation) ? 'write' : 'read';
  return {
    message: `${operation.name} is not covered: it needs ${operation.permissions.join(' or ')}, which this profile does not grant.`,
    hint: `Add "${operation.resource}: ${level}" to "permissions", or take it out of "allow".`,
  };
}
