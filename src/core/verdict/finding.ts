import {
  type Catalog,
  isWrite,
  type OperationName,
  type PermissionName,
  type Provenance,
  type ResourceName,
} from '../catalog/catalog.ts';
import type { SourceLocation } from '../error.ts';
import type { Grant, Widening } from '../grant/grant.ts';
import type { Probe } from '../probe/probe.ts';
import { locateOperation } from '../profile/locate-operation.ts';
import type { Profile } from '../profile/profile.ts';
import { messageFor } from './finding-message.ts';
import type { Observation } from './observation.ts';
import type { Verdict, VerdictKind } from './verdict.ts';

export type FindingKind = 'over-grant' | 'under-grant' | 'inconclusive' | 'accepted';

/** What the profile makes of an operation before anything is sent. */
export type Expectation = 'asked' | 'accepted' | 'reported-widening' | 'widening' | 'none' | 'unknown';

/** What one probe showed, beside what the profile says; the rows of every report. */
export interface ProbeResult {
  readonly operation: OperationName;
  readonly method: string;
  readonly path: string;
  readonly resource: ResourceName;
  /** The permission that decides: the granted one, else the one to ask for; null when unknown. */
  readonly permission: PermissionName | null;
  readonly expected: 'allowed' | 'forbidden';
  readonly observed: VerdictKind;
  readonly evidence: 'strong' | 'weak';
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  readonly provenance: Provenance;
  readonly expectation: Expectation;
  /** Why it is inconclusive. */
  readonly reason?: string;
  /** What else a reader should know: a scope that differs from the catalog's, a write answered 2xx. */
  readonly notes: readonly string[];
  readonly message: string;
  /** The line of the profile that grants the operation, or that should. */
  readonly location?: SourceLocation;
}

export interface Finding extends ProbeResult {
  readonly kind: FindingKind;
}

export interface Summary {
  readonly probes: number;
  /** As expected; `accepted` findings are counted apart. */
  readonly passed: number;
  readonly overGrants: number;
  readonly underGrants: number;
  readonly inconclusive: number;
  readonly accepted: number;
}

export interface Judged {
  readonly result: ProbeResult;
  readonly kind: FindingKind | undefined;
}

/** What the profile says of an operation. */
export function expectationOf(
  operation: OperationName,
  { profile, grant, catalog }: { profile: Profile; grant: Grant; catalog: Catalog },
): Expectation {
  if (grant.asked.has(operation)) return 'asked';
  if (grant.accepted.has(operation)) return 'accepted';
  const known = catalog.operation(operation);
  if (known === undefined || known.permissions.length === 0) return 'unknown';
  if (!known.permissions.some((permission) => grant.effective.has(permission))) return 'none';
  return isWrite(known) || profile.widening === 'strict' || profile.only ? 'widening' : 'reported-widening';
}

/** Verdict → finding: compares one observed verdict with what the profile says. */
export function judgeResult(
  probe: Probe,
  verdict: Verdict,
  observation: Observation,
  context: { profile: Profile; grant: Grant; catalog: Catalog },
): Judged {
  const { operation } = probe;
  const expectation = expectationOf(operation.name, context);
  const kind = findingKind(expectation, verdict);
  const permission =
    operation.permissions.find((name) => context.grant.effective.has(name)) ?? operation.permissions[0];
  const expected = expectation === 'asked' || expectation === 'reported-widening' ? 'allowed' : 'forbidden';
  const facts = {
    operation: operation.name,
    method: operation.method,
    path: operation.path,
    resource: operation.resource,
    permission: permission ?? null,
    expected,
    observed: verdict.kind,
    evidence: verdict.evidence,
    status: observation.status ?? null,
    provenance: operation.provenance,
    expectation,
    ...(verdict.reason === undefined ? {} : { reason: verdict.reason }),
    notes: notesFor(probe, verdict, context.catalog),
  } as const;
  const message = messageFor(kind, facts, verdict, context.grant.accepted.get(operation.name)?.reason);
  const accepted = context.grant.accepted.has(operation.name);
  const location = locateOperation(operation, context.profile, context.catalog, { accepted });
  return { result: { ...facts, message, location }, kind };
}

function findingKind(expectation: Expectation, verdict: Verdict): FindingKind | undefined {
  switch (verdict.kind) {
    case 'inconclusive':
      return 'inconclusive';
    case 'allowed':
      if (expectation === 'asked' || expectation === 'reported-widening') return undefined;
      return expectation === 'accepted' ? 'accepted' : 'over-grant';
    case 'forbidden':
    case 'impossible':
      return expectation === 'asked' ? 'under-grant' : undefined;
  }
}

/** A scope in the answer that differs from the catalog's is worth saying: either may be wrong. */
function notesFor(probe: Probe, verdict: Verdict, catalog: Catalog): string[] {
  const { operation } = probe;
  const named = verdict.named.map(
    (name) =>
      catalog.permissionByAnyName(name)?.name ?? catalog.permissionByAnyName(`rak_${name}`)?.name ?? name,
  );
  const notes: string[] = [];
  if (
    named.length > 0 &&
    operation.permissions.length > 0 &&
    !named.some((name) => operation.permissions.includes(name))
  ) {
    notes.push(
      `Stripe's answer names ${named.join(' or ')}; the catalog has ${operation.permissions.join(' or ')} (${operation.provenance}). One of them is wrong.`,
    );
  }
  if (named.length > 0 && operation.permissions.length === 0) {
    notes.push(
      `Stripe's answer names ${named.join(' or ')}; the catalog knows no permission for this operation.`,
    );
  }
  return notes;
}

/** Counts judged probes. */
export function summarize(judged: readonly Judged[]): Summary {
  const count = (kind: FindingKind | undefined) => judged.filter((one) => one.kind === kind).length;
  return {
    probes: judged.length,
    passed: count(undefined),
    overGrants: count('over-grant'),
    underGrants: count('under-grant'),
    inconclusive: count('inconclusive'),
    accepted: count('accepted'),
  };
}

const findingOrder: readonly FindingKind[] = ['over-grant', 'under-grant', 'inconclusive', 'accepted'];

/** The findings, gravest first; writes before reads within a kind. */
export function findingsOf(judged: readonly Judged[]): Finding[] {
  return judged
    .flatMap(({ result, kind }) => (kind === undefined ? [] : [{ kind, ...result }]))
    .sort(
      (a, b) =>
        findingOrder.indexOf(a.kind) - findingOrder.indexOf(b.kind) ||
        Number(a.method === 'GET') - Number(b.method === 'GET'),
    );
}

/** The widenings whose operations this run showed, or that no probe touched: all that the reader must know. */
export function unacceptedWrites(widenings: readonly Widening[]): readonly Widening[] {
  return widenings.filter((widening) => widening.canWrite && !widening.accepted);
}
