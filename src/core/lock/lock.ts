import { z } from 'zod';
import { byText } from '../by-text.ts';
import type { Catalog, OperationName } from '../catalog/catalog.ts';
import type { SourceLocation } from '../error.ts';
import type { Grant } from '../grant/grant.ts';
import { DEPTHS } from '../probe/depth.ts';
import { guardDocument, guardKeys, guardSchema, guardSection } from '../profile/guard-section.ts';
import { locateOperation, locatePermission } from '../profile/locate-operation.ts';
import type { Profile } from '../profile/profile.ts';
import { type Drift, driftWeight } from '../result/drift.ts';
import type { VerifyReport, VerifyResult } from '../result/verify-report.ts';
import { someOf } from '../some-of.ts';
import type { VerdictKind } from '../verdict/verdict.ts';
import { driftKind } from './drift-kind.ts';
import { type Change, checksOf, compareExtents, type Extent, extentOf } from './extent.ts';

/** The version of the lock file that this keyaudit writes and reads. */
export const LOCK_SCHEMA = 'keyaudit.lock/1';

/** The name under which a lock file is committed. */
export const LOCK_FILE = 'keyaudit.lock.yaml';

const names = z.array(z.string().min(1));

const lockedWideningSchema = z.strictObject({
  permission: z.string(),
  accepted: z.boolean(),
  until: z.iso.date().optional(),
  /** On the Connect side. */
  connect: z.literal(true).optional(),
  operations: names.min(1),
});

const lockedProfileSchema = z.strictObject({
  digest: z.string(),
  target: z.string(),
  mode: z.enum(['test', 'live', 'unknown']),
  fingerprint: z.string(),
  /** When the key was made, where that was known. */
  made: z.iso.datetime().optional(),
  catalog: z.string(),
  apiVersion: z.string(),
  depth: z.enum(DEPTHS),
  permissions: names,
  connectPermissions: names.optional(),
  guards: names.optional(),
  allow: names.optional(),
  forbid: names.optional(),
  widenings: z.array(lockedWideningSchema).optional(),
  guard: guardSchema.optional(),
  operations: z.record(z.string(), z.enum(['allowed', 'forbidden', 'impossible'])),
  /** The same for calls with `Stripe-Account`, where they were probed. */
  connectOperations: z.record(z.string(), z.enum(['allowed', 'forbidden', 'impossible'])).optional(),
  /** Who was asked; absent in files of before there was a choice. */
  witness: z.enum(['probes', 'record', 'both']).optional(),
  /** The permissions whose presence was not shown, on each side; absent, with `witness`, where all were. */
  unseen: names.optional(),
  connectUnseen: names.optional(),
});

export const lockSchema = z.strictObject({
  schema: z.literal(LOCK_SCHEMA),
  profiles: z.record(z.string(), lockedProfileSchema),
});

/** What was verified of each profile's key, to be committed and reviewed. */
export type Lock = z.infer<typeof lockSchema>;
export type LockedProfile = z.infer<typeof lockedProfileSchema>;
type LockedWidening = z.infer<typeof lockedWideningSchema>;

/** A profile with what was verified of its key just now. */
export interface Verified {
  readonly profile: Profile;
  readonly grant: Grant;
  /** Of the profile. */
  readonly digest: string;
  readonly result: VerifyResult;
}

/** The entry of a profile whose key was verified without findings. Lists are sorted, so that a diff shows what changed. */
export function lockProfile(
  { profile, grant, digest, result }: Verified,
  { target, catalog, apiVersion, depth }: Pick<VerifyReport, 'target' | 'catalog' | 'apiVersion' | 'depth'>,
): LockedProfile {
  const { allow, forbid, guards } = checksOf(profile);
  const some = <K extends string, T>(key: K, list: readonly T[]) =>
    (list.length === 0 ? {} : { [key]: [...list] }) as Partial<Record<K, T[]>>;
  return {
    digest,
    target,
    mode: result.key?.mode ?? 'unknown',
    fingerprint: result.key?.fingerprint ?? 'none',
    ...(result.key?.createdAt ? { made: result.key.createdAt } : {}),
    catalog,
    apiVersion,
    depth,
    permissions: [...grant.permissions].sort(),
    ...some('connectPermissions', [...grant.connectPermissions].sort()),
    ...some('guards', guards),
    ...some('allow', allow),
    ...some('forbid', forbid),
    ...some('widenings', lockWidenings(grant)),
    ...(profile.guard === undefined ? {} : { guard: guardDocument(profile.guard) }),
    operations: lockAnswers(result, false),
    ...(result.probes.some(({ connect }) => connect) ? { connectOperations: lockAnswers(result, true) } : {}),
    ...(result.witnesses === undefined ? {} : { witness: witnessOf(result.witnesses) }),
    ...some('unseen', unseenOn(result, false)),
    ...some('connectUnseen', unseenOn(result, true)),
  };
}

function lockAnswers({ probes }: VerifyResult, connect: boolean): LockedProfile['operations'] {
  return Object.fromEntries(
    probes
      .filter((probe) => probe.connect === connect)
      .flatMap(({ operation, observed }) =>
        observed === 'inconclusive' || observed === 'guarded'
          ? []
          : // A rule of Approvals may come and go; the permission behind it is what is agreed.
            ([[operation, observed === 'gated' ? 'allowed' : observed]] as const),
      )
      .sort(([a], [b]) => byText(a, b)),
  );
}

function witnessOf({ probes, record }: NonNullable<VerifyResult['witnesses']>): LockedProfile['witness'] {
  if (!record.read) return 'probes';
  return probes.asked > 0 ? 'both' : 'record';
}

/** What others cover adds nothing that anybody knows of, so that it is not worth a review. */
function unseenOn({ unseen }: VerifyResult, connect: boolean): readonly string[] {
  return unseen
    .filter((one) => one.connect === connect && one.reason !== 'covered')
    .map(({ permission }) => permission)
    .sort();
}

/** What was seen when it was agreed on, and is not any more. */
function lessSeen(locked: LockedProfile, { result }: Verified, locate: LocateInLock): readonly Drift[] {
  if (locked.witness === undefined || result.key === null || result.stopped !== undefined) return [];
  return ([false, true] as const).flatMap((connect) => {
    const before = new Set((connect ? locked.connectUnseen : locked.unseen) ?? []);
    const names = unseenOn(result, connect).filter((name) => !before.has(name));
    if (names.length === 0) return [];
    const where = connect ? ' with Stripe-Account' : '';
    const kind = 'not-verified';
    const message = `Less is seen than was agreed: whether the key holds ${someOf(names)}${where} was shown then, and is not now.`;
    return [
      { kind, weight: driftWeight(kind), name: names[0] ?? '', message, location: locate(['witness']) },
    ];
  });
}

/** One entry for each permission and acceptance, whatever brings its operations along. */
function lockWidenings(grant: Grant): LockedWidening[] {
  const merged = new Map<string, LockedWidening>();
  for (const { permission, accepted, until, operations, connect } of grant.widenings) {
    const key = `${permission} ${accepted} ${until ?? ''}${connect === true ? ' connect' : ''}`;
    const before = merged.get(key)?.operations ?? [];
    merged.set(key, {
      permission,
      accepted,
      until,
      ...(connect === true ? { connect } : {}),
      operations: [...before, ...operations].sort(),
    });
  }
  return [...merged].sort(([a], [b]) => byText(a, b)).map(([, widening]) => widening);
}

/** The entry of a profile, whatever it is called (`constructor` is a name as well). */
export function lockedProfile(lock: Lock | undefined, name: string): LockedProfile | undefined {
  return lock !== undefined && Object.hasOwn(lock.profiles, name) ? lock.profiles[name] : undefined;
}

/** The lock with these entries, sorted by name; those of other profiles stay unless `whole`. */
export function mergeLock(
  previous: Lock | undefined,
  entries: ReadonlyMap<string, LockedProfile>,
  { whole }: { whole: boolean },
): Lock {
  const kept = whole ? [] : Object.entries(previous?.profiles ?? {});
  const all = new Map([...kept, ...entries]);
  return {
    schema: LOCK_SCHEMA,
    profiles: Object.fromEntries([...all].sort(([a], [b]) => byText(a, b))),
  };
}

/** How far a locked profile reached. */
export function lockedExtent(locked: LockedProfile): Extent {
  return {
    permissions: locked.permissions,
    connectPermissions: locked.connectPermissions ?? [],
    widenings: locked.widenings ?? [],
    checks: { allow: locked.allow ?? [], forbid: locked.forbid ?? [], guards: locked.guards ?? [] },
    guard: locked.guard === undefined ? null : guardSection([guardKeys(locked.guard)]),
    verdicts: new Map(Object.entries(locked.operations)),
    connectVerdicts:
      locked.connectOperations === undefined ? undefined : new Map(Object.entries(locked.connectOperations)),
    complete: true,
  };
}

/** How far a profile and its verified key reach. */
function verifiedExtent({ profile, grant, result }: Omit<Verified, 'digest'>): Extent {
  const verdictsOn = (connect: boolean) =>
    new Map<OperationName, VerdictKind>(
      result.probes
        .filter((probe) => probe.connect === connect)
        .map(({ operation, observed }) => [operation, observed]),
    );
  const onConnect = verdictsOn(true);
  const seen = {
    verdicts: verdictsOn(false),
    // Without an account nothing is known; what is not seen any more is a drift of its own.
    connectVerdicts: onConnect.size === 0 ? undefined : onConnect,
    complete: result.stopped === undefined,
  };
  return { ...extentOf(profile, grant), ...(result.key === null ? {} : seen) };
}

/** Where the lines of a profile's entry stand in the lock file. */
export type LocateInLock = (path: readonly PropertyKey[]) => SourceLocation;

/** What left the lock, gravest first. A new key alone is a note: rotation must pass. */
export function driftFrom(
  locked: LockedProfile,
  now: Verified,
  report: Pick<VerifyReport, 'target' | 'catalog' | 'apiVersion'>,
  { catalog, locate }: { catalog: Catalog; locate: LocateInLock },
): readonly Drift[] {
  const changes = compareExtents(lockedExtent(locked), verifiedExtent(now), catalog).filter(
    // An inconclusive probe is a finding of its own, and ends in "could not be determined".
    ({ direction, name, connect = false }) =>
      direction !== 'unverified' ||
      !now.result.probes.some((probe) => probe.operation === name && probe.connect === connect),
  );
  const drifts = changes.map((change): Drift => {
    const kind = driftKind(change.direction, change.subject);
    const location = placeOfChange(change, now.profile, catalog) ?? locate(pathOfChange(change, locked));
    return { kind, weight: driftWeight(kind), name: change.name, message: change.message, location };
  });
  return [
    ...drifts,
    ...lessSeen(locked, now, locate),
    ...factChanges(locked, now, report, changes.length > 0, locate),
  ];
}

/** The profile's line, for what its lines decide. */
function placeOfChange(change: Change, profile: Profile, catalog: Catalog): SourceLocation | undefined {
  if (change.direction !== 'wider' || change.subject === 'check') return undefined;
  if (change.subject === 'guard') return profile.guard?.location;
  if (change.subject === 'permission' || change.subject === 'connect-permission') {
    return locatePermission(change.name, profile, catalog, { connect: change.subject !== 'permission' });
  }
  const operation = catalog.operation(change.name);
  return operation === undefined
    ? undefined
    : locateOperation(operation, profile, catalog, {
        accepted: change.subject === 'widening',
        connect: change.connect === true,
      });
}

function pathOfChange({ subject, name, connect }: Change, locked: LockedProfile): readonly PropertyKey[] {
  const inList = (key: 'permissions' | 'connectPermissions' | 'guards' | 'allow' | 'forbid') => {
    const index = locked[key]?.indexOf(name) ?? -1;
    return index < 0 ? undefined : [key, index];
  };
  switch (subject) {
    case 'operation':
      return [connect === true ? 'connectOperations' : 'operations', name];
    case 'permission':
      return inList('permissions') ?? [];
    case 'connect-permission':
      return inList('connectPermissions') ?? [];
    case 'check':
      return inList('forbid') ?? inList('guards') ?? inList('allow') ?? [];
    case 'widening': {
      const index = locked.widenings?.findIndex(({ operations }) => operations.includes(name)) ?? -1;
      return index < 0 ? [] : ['widenings', index];
    }
    case 'guard':
      return ['guard'];
    case 'profile':
      return [];
  }
}

function factChanges(
  locked: LockedProfile,
  { digest, result: { key } }: Verified,
  report: Pick<VerifyReport, 'target' | 'catalog' | 'apiVersion'>,
  otherChanges: boolean,
  locate: LocateInLock,
): Drift[] {
  const facts: readonly (readonly [keyof LockedProfile, string | undefined, string])[] = [
    ['digest', otherChanges ? undefined : digest, 'The profile has changed, but reaches no further'],
    ['fingerprint', key?.fingerprint, 'Another key than the locked one'],
    ['mode', key?.mode ?? undefined, 'A key of another mode'],
    ['target', report.target, 'Another target'],
    ['catalog', report.catalog, 'Another catalog'],
    ['apiVersion', report.apiVersion, 'Another API version'],
  ];
  return facts.flatMap(([name, value, words]) =>
    value === undefined || value === locked[name]
      ? []
      : [
          {
            kind: 'changed',
            weight: 'note',
            name,
            message: `${words}: ${value} (locked: ${String(locked[name])}).`,
            location: locate([name]),
          },
        ],
  );
}
