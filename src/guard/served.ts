import type { Catalog, OperationName } from '../core/catalog/catalog.ts';
import type { Grant } from '../core/grant/grant.ts';
import { type LetThrough, letThrough } from '../core/grant/let-through.ts';
import type { GuardSection } from '../core/profile/guard-section.ts';
import type { Profile } from '../core/profile/profile.ts';
import type { SecretKey } from '../core/secret-key.ts';
import type { ReadingPolicy } from '../core/spend/exposure/money-call.ts';
import type { Holder } from '../gate/gate.ts';
import { type Lines, Upstream } from './upstream.ts';

/** A profile that the guard serves, and the key that it adds. */
export interface Served {
  readonly profile: Profile;
  readonly guard: GuardSection;
  readonly through: LetThrough;
  /** What the upstream key holds by the profile. */
  readonly holder: Holder;
  /** Target, mode and profile: what never shares a counter. */
  readonly scope: string;
  readonly mode: 'test' | 'live';
  /** The pinned version of the API. */
  readonly version: string;
  /** Digest of the profile as it is now; it stands in the rows. */
  readonly digest: string;
  readonly upstream: Upstream;
}

/** What a profile is served from. */
export interface ServedFrom {
  readonly profile: Profile;
  readonly grant: Grant;
  readonly digest: string;
  readonly key: SecretKey;
  readonly mode: 'test' | 'live';
  /** Where requests go, by name: what is counted on the sandbox is not counted at Stripe. */
  readonly target: string;
  readonly lines: Lines;
  readonly catalog: Catalog;
}

/** A profile as it is served; undefined for one without a `guard` section. */
export function servedOf({
  profile,
  grant,
  digest,
  key,
  mode,
  target,
  lines,
  catalog,
}: ServedFrom): Served | undefined {
  const { guard } = profile;
  if (guard === undefined) return undefined;
  return {
    profile,
    guard,
    mode,
    digest,
    through: letThrough(profile, guard, grant, catalog),
    holder: { permissions: grant.permissions, connectPermissions: grant.connectPermissions },
    scope: `${target} ${mode} ${profile.name}`,
    version: catalog.apiVersion,
    upstream: new Upstream(key, lines, catalog.apiVersion),
  };
}

/** What of a section decides how a call's amount is read. */
export function readingPolicy({ intents, accounts, unpriced, caps }: GuardSection): ReadingPolicy {
  const needs = (per: string) => caps.some((cap) => cap.per === per);
  return {
    intents,
    accounts,
    unpriced: unpriced.of,
    needs: { charge: needs('charge'), customer: needs('customer') },
  };
}

/**
 * What holds for a run that was begun under one version of a profile and goes on under another: whatever of the two
 * lets less through. A policy that was narrowed bites at once; one that was widened is for new runs.
 */
export function narrower(before: Served, now: Served): Served {
  if (before === now || before.digest === now.digest) return now;
  const [a, b] = [before.guard, now.guard];
  const both = <T>(left: readonly T[], right: readonly T[]) => left.filter((one) => right.includes(one));
  const guard: GuardSection = {
    ...b,
    caps: [...b.caps, ...a.caps],
    repeat: a.repeat === 'refuse' ? 'refuse' : b.repeat,
    unknown: strictest(a.unknown, b.unknown, ['refuse', 'look-up', 'reserve-rest']),
    unpriced: { calls: Math.min(a.unpriced.calls, b.unpriced.calls), of: both(a.unpriced.of, b.unpriced.of) },
    intents: strictest(a.intents, b.intents, ['create', 'confirm']),
    reads: strictest(a.reads, b.reads, ['closed', 'open']),
    accounts: both(a.accounts, b.accounts),
    versions: both(a.versions, b.versions),
    ttlMs: Math.min(a.ttlMs, b.ttlMs),
  };
  const shared = (left: ReadonlySet<OperationName>, right: ReadonlySet<OperationName>) =>
    new Set([...left].filter((name) => right.has(name)));
  const through = {
    own: shared(before.through.own, now.through.own),
    connect: shared(before.through.connect, now.through.connect),
  };
  return { ...now, guard, through };
}

function strictest<T extends string>(a: T, b: T, strictFirst: readonly T[]): T {
  return strictFirst.find((word) => word === a || word === b) ?? b;
}
