import { allows, type Catalog, type OperationName, type PermissionName } from '../catalog/catalog.ts';
import type { Grant, Widening } from '../grant/grant.ts';
import type { GuardSection } from '../profile/guard-section.ts';
import type { Profile } from '../profile/profile.ts';
import { someOf } from '../some-of.ts';
import type { VerdictKind } from '../verdict/verdict.ts';
import { guardChanges } from './guard-changes.ts';
import { type VerdictSide, verdictChanges } from './verdict-changes.ts';

/** How far a profile or its key reaches: what two of them are compared by. */
export interface Extent {
  readonly permissions: readonly PermissionName[];
  /** Undefined where they are not known, as in a verify report. */
  readonly connectPermissions?: readonly PermissionName[];
  readonly widenings: readonly Pick<Widening, 'permission' | 'operations' | 'connect'>[];
  /** Every operation that it allows; undefined where the catalog may have been another one, as in a lock file. */
  readonly reach?: ReadonlySet<OperationName>;
  /** What the profile promises besides; undefined where it is not known, as in a verify report. */
  readonly checks?: Checks;
  /** What the guard lets through; null for a profile without the section, undefined where that is not known. */
  readonly guard?: GuardSection | null;
  /** What probes showed; undefined where nothing was probed. */
  readonly verdicts?: ReadonlyMap<OperationName, VerdictKind>;
  /** The same for calls with `Stripe-Account`; undefined where no connected account was named. */
  readonly connectVerdicts?: ReadonlyMap<OperationName, VerdictKind>;
  /** Whether `verdicts` has every operation that was probed, so that a missing one was not. */
  readonly complete?: boolean;
}

export interface Checks {
  /** Calls that must work, and calls that must be refused. */
  readonly allow: readonly OperationName[];
  readonly forbid: readonly OperationName[];
  /** `widening: strict` and `only: true`, as far as the profile says them. */
  readonly guards: readonly string[];
}

/** What differs. `unverified`: nobody knows any more; `changed`: neither wider nor narrower. */
export type Direction = 'wider' | 'unverified' | 'narrower' | 'changed';

/** What a change is about. */
export type Subject =
  | 'profile'
  | 'permission'
  | 'connect-permission'
  | 'widening'
  | 'check'
  | 'guard'
  | 'operation';

/** One difference between two extents. */
export interface Change {
  readonly direction: Direction;
  readonly subject: Subject;
  /** The permission or operation; for `widening` and `check` the operation, for `profile` its name. */
  readonly name: string;
  /** Of `operation`: the call is one with `Stripe-Account`. */
  readonly connect?: true;
  /** For a permission: the operations that it adds or takes away. For a widening: the permission that brings it. */
  readonly operations?: readonly OperationName[];
  readonly permission?: PermissionName;
  /** One plain sentence. */
  readonly message: string;
}

/** The operations of a profile's checks, and its guards, sorted. */
export function checksOf(profile: Profile): Checks {
  const names = (checks: Profile['allow']) => [...new Set(checks.map(({ operation }) => operation))].sort();
  return {
    allow: names(profile.allow),
    forbid: names(profile.forbid),
    guards: [
      ...(profile.widening === 'strict' ? ['widening: strict'] : []),
      ...(profile.only ? ['only: true'] : []),
    ],
  };
}

/** The extent that a profile resolves to, before anything is probed. */
export function extentOf(profile: Profile, grant: Grant): Extent {
  return {
    permissions: grant.permissions,
    connectPermissions: grant.connectPermissions,
    reach: new Set([
      ...grant.asked,
      ...[...grant.connect.asked].map((name) => callOf(name, true)),
      ...wideningsByOperation(grant).keys(),
    ]),
    widenings: grant.widenings,
    checks: checksOf(profile),
    guard: profile.guard ?? null,
  };
}

/** What is different in `after`, what matters most first. Both are read with the same catalog. */
export function compareExtents(before: Extent, after: Extent, catalog: Catalog): readonly Change[] {
  const changes = [
    ...permissionChanges(before.permissions, after.permissions, 'permission', catalog),
    ...(before.connectPermissions === undefined || after.connectPermissions === undefined
      ? []
      : permissionChanges(
          before.connectPermissions,
          after.connectPermissions,
          'connect-permission',
          catalog,
        )),
    ...wideningChanges(before, after),
    ...(before.checks === undefined || after.checks === undefined
      ? []
      : checkChanges(before.checks, after.checks)),
    ...(before.guard === undefined || after.guard === undefined
      ? []
      : guardChanges(before.guard ?? undefined, after.guard ?? undefined)),
    ...verdictChanges(ownSide(before), ownSide(after), catalog),
    ...verdictChanges(connectSide(before), connectSide(after), catalog),
  ];
  return changes.sort((a, b) => DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction));
}

function ownSide({ permissions, verdicts, complete, widenings }: Extent): VerdictSide {
  const own = wideningsByOperation({ widenings: widenings.filter(({ connect }) => connect !== true) });
  return { connect: false, permissions, verdicts, complete, widened: new Set(own.keys()) };
}

function connectSide({
  connectPermissions: permissions,
  connectVerdicts: verdicts,
  complete,
  widenings,
}: Extent): VerdictSide {
  const operations = widenings.filter(({ connect }) => connect === true).flatMap((one) => one.operations);
  return { connect: true, permissions, verdicts, complete, widened: new Set(operations) };
}

/** Gravest first. */
export const DIRECTIONS: readonly Direction[] = ['wider', 'unverified', 'narrower', 'changed'];

function permissionChanges(
  before: readonly PermissionName[],
  after: readonly PermissionName[],
  subject: 'permission' | 'connect-permission',
  catalog: Catalog,
): Change[] {
  const had = catalog.closure(before);
  const has = catalog.closure(after);
  const where = subject === 'permission' ? '' : ' with Stripe-Account';
  const change = (name: PermissionName, direction: 'wider' | 'narrower'): Change => {
    const operations = callsOf(name, direction === 'wider' ? had : has, catalog);
    const verb = direction === 'wider' ? 'It now grants' : 'It no longer grants';
    return {
      direction,
      subject,
      name,
      operations,
      message: `${verb} ${name}${where}${inWords(operations)}.`,
    };
  };
  return [
    ...after.filter((name) => !had.has(name)).map((name) => change(name, 'wider')),
    ...before.filter((name) => !has.has(name)).map((name) => change(name, 'narrower')),
  ];
}

/** The operations that `permission` allows and `without` does not. */
function callsOf(
  permission: PermissionName,
  without: ReadonlySet<PermissionName>,
  catalog: Catalog,
): OperationName[] {
  const own = catalog.closure([permission]);
  return catalog.operations
    .filter((operation) => allows(own, operation) && !allows(without, operation))
    .map((operation) => operation.name);
}

function inWords(operations: readonly OperationName[]): string {
  if (operations.length === 0) return '';
  if (operations.length === 1) return `, which allows ${operations[0]}`;
  return `, which allows ${operations.length} calls: ${someOf(operations)}`;
}

function wideningChanges(before: Extent, after: Extent): Change[] {
  const had = wideningsByOperation(before);
  const has = wideningsByOperation(after);
  const change = (
    name: OperationName,
    permission: PermissionName,
    direction: 'wider' | 'narrower',
  ): Change => {
    // A shorter profile that reaches as far is neither wider nor narrower.
    const isSameReach = (direction === 'wider' ? before : after).reach?.has(name) === true;
    const [gone, come] = isSameReach
      ? [
          `${name} is asked for now, and no widening any more.`,
          `${name} is no longer asked for, and still comes with ${permission}.`,
        ]
      : [
          `No widening any more: ${name}, which came with ${permission}.`,
          `A new widening: ${permission} also allows ${name}.`,
        ];
    const message = direction === 'wider' ? come : gone;
    return {
      direction: isSameReach ? 'changed' : direction,
      subject: 'widening',
      name,
      permission,
      message,
    };
  };
  return [
    ...[...has].flatMap(([name, permission]) => (had.has(name) ? [] : [change(name, permission, 'wider')])),
    ...[...had].flatMap(([name, permission]) =>
      has.has(name) ? [] : [change(name, permission, 'narrower')],
    ),
  ];
}

/** The name of a call; with `Stripe-Account` it is another one. */
function callOf(name: OperationName, connect: boolean): string {
  return connect ? `${name} with Stripe-Account` : name;
}

function wideningsByOperation({ widenings }: Pick<Extent, 'widenings'>): Map<OperationName, PermissionName> {
  return new Map(
    widenings.flatMap(({ permission, operations, connect = false }) =>
      operations.map((name) => [callOf(name, connect), permission] as const),
    ),
  );
}

function checkChanges(before: Checks, after: Checks): Change[] {
  const gone = (from: readonly string[], to: readonly string[]) => from.filter((name) => !to.includes(name));
  const change = (direction: Direction, name: string, message: string): Change => ({
    direction,
    subject: 'check',
    name,
    message,
  });
  return [
    ...gone(before.forbid, after.forbid).map((name) =>
      change('wider', name, `The profile no longer forbids ${name}.`),
    ),
    ...gone(before.guards, after.guards).map((name) =>
      change('wider', name, `The profile no longer says "${name}".`),
    ),
    ...gone(after.guards, before.guards).map((name) =>
      change('narrower', name, `The profile now says "${name}".`),
    ),
    ...gone(after.forbid, before.forbid).map((name) =>
      change('narrower', name, `The profile now forbids ${name}.`),
    ),
    ...gone(before.allow, after.allow).map((name) =>
      change('changed', name, `The profile no longer says that ${name} must work.`),
    ),
    ...gone(after.allow, before.allow).map((name) =>
      change('changed', name, `The profile now says that ${name} must work.`),
    ),
  ];
}
