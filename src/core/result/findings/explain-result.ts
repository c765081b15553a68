import { allows, type Catalog, type OperationName, type PermissionName } from '../../catalog/catalog.ts';
import { riskOf } from '../../catalog/risk.ts';
import type { Grant, Widening } from '../../grant/grant.ts';
import type { Expectation, Finding, FindingKind } from '../../verdict/finding.ts';
import type { Drift } from '../drift.ts';
import type { VerifyResult } from '../verify-report.ts';
import { callsInWords } from './calls-in-words.ts';
import { explainAllowed, explainRefused } from './explaining-permissions.ts';
import { gatherDrifts, tierOf } from './gather-drifts.ts';
import { notSeen } from './not-seen.ts';
import {
  byRisk,
  type Cause,
  type Explained,
  type Fix,
  type PermissionFinding,
} from './permission-finding.ts';

/** What explaining a result takes beside it. */
export interface ExplainContext {
  readonly grant: Pick<Grant, 'permissions' | 'effective' | 'connectPermissions'>;
  readonly catalog: Catalog;
  /** What to do, on this target and for this key. */
  readonly fixFor: (finding: Omit<PermissionFinding, 'fix'>) => Fix | null;
}

/**
 * The findings and drifts of a result by the permission that explains them, what matters most first. A result that was
 * stopped by its key has none: its reason says it all.
 */
export function explainResult(result: VerifyResult, context: ExplainContext): readonly PermissionFinding[] {
  if (result.key === null || result.stopped?.code === 'KEY_DEAD') return [];
  // What was not asked any more is said once, by the reason for it.
  const isConsequence = ({ kind }: Group) => kind === 'inconclusive' && result.stopped !== undefined;
  const found = groupsOf(result, context)
    .filter((group) => !isConsequence(group))
    .map((group) => explainGroup(group, context));
  const { merged, left } = mergeDrifts(found, result.drift ?? [], context.catalog);
  return [...merged, ...left, ...notSeen(result)]
    .map((finding) => ({ ...finding, fix: context.fixFor(finding) }))
    .sort(byRisk);
}

/** What a profile asks for or accepts; an over-grant of it is one beside the key that is to be replaced. */
const IN_THE_GRANT: ReadonlySet<Expectation> = new Set(['asked', 'accepted', 'reported-widening']);

interface Group {
  readonly kind: FindingKind;
  readonly cause: Cause;
  readonly permission: PermissionName | null;
  readonly connect: boolean;
  readonly findings: readonly Finding[];
}

function groupsOf(result: VerifyResult, { grant, catalog }: ExplainContext): readonly Group[] {
  const groups = new Map<string, Group & { findings: Finding[] }>();
  const add = (finding: Finding, cause: Cause, permission: PermissionName | null, apart = '') => {
    const connect = isConnect(finding);
    const key = JSON.stringify([finding.kind, cause, permission, connect, apart]);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { kind: finding.kind, cause, permission, connect, findings: [finding] });
    } else group.findings.push(finding);
  };
  for (const connect of [false, true]) {
    const side = result.findings.filter((finding) => isConnect(finding) === connect);
    const permissions = connect ? grant.connectPermissions : grant.permissions;
    const effective = connect ? catalog.closure(permissions) : grant.effective;
    const extra = side.filter(
      ({ kind, expectation, ofWholeSide }) =>
        ofWholeSide !== true &&
        kind === 'over-grant' &&
        (expectation === 'none' || expectation === 'unknown'),
    );
    for (const finding of side) {
      if (finding.kind === 'over-grant' && IN_THE_GRANT.has(finding.expectation))
        add(finding, 'broader', finding.permission);
      else if (finding.kind === 'over-grant' && finding.ofWholeSide === true) add(finding, 'unknown', null);
    }
    const refused = result.probes.filter(
      (probe) =>
        isConnect(probe) === connect && (probe.observed === 'forbidden' || probe.observed === 'impossible'),
    );
    const by = explainAllowed(extra, { refused, effective, catalog });
    for (const finding of extra) {
      const permission = by.get(finding) ?? null;
      add(finding, permission === null ? 'unknown' : 'extra', permission);
    }
    const widened = wideningsByOperation(result.widenings);
    for (const finding of side.filter((one) => one.kind === 'accepted' || one.expectation === 'widening')) {
      const widening = widened.get(finding.operation);
      const cause = finding.kind === 'accepted' ? 'accepted' : 'widening';
      if (finding.kind === 'accepted' || finding.kind === 'over-grant')
        add(finding, cause, widening?.permission ?? finding.permission, widening?.reason);
    }
    const less = side.filter(({ kind }) => kind === 'under-grant');
    const missing = explainRefused(less, permissions, catalog);
    for (const finding of less) {
      if (finding.observed === 'impossible') add(finding, 'impossible', null);
      else add(finding, 'missing', missing.get(finding) ?? finding.permission);
    }
    // What says the same of a hundred calls is said once.
    for (const finding of side.filter(({ kind }) => kind === 'inconclusive')) {
      const what = finding.message
        .replaceAll(finding.operation, '')
        .replace(/ Nothing is known about .*$/, '');
      add(finding, 'unanswered', null, `${finding.reason} ${what}`);
    }
  }
  return [...groups.values()];
}

function isConnect(finding: object): boolean {
  return 'connect' in finding && finding.connect === true;
}

function wideningsByOperation(widenings: readonly Widening[]): ReadonlyMap<OperationName, Widening> {
  return new Map(
    widenings.flatMap((widening) => widening.operations.map((name) => [name, widening] as const)),
  );
}

const FINDING_WEIGHTS = {
  'over-grant': 'fails',
  'under-grant': 'fails',
  inconclusive: 'unknown',
  accepted: 'note',
} as const satisfies Readonly<Record<FindingKind, Drift['weight']>>;

function explainGroup(group: Group, { catalog }: ExplainContext): Explained {
  const { kind, cause, permission, connect, findings } = group;
  const [first] = findings;
  if (first === undefined) throw new Error('a group without findings');
  const calls = findings.filter(({ evidence, ofWholeSide }) => evidence !== 'record' && ofWholeSide !== true);
  const operations = [...new Set(calls.map(({ operation }) => operation))];
  return {
    kind,
    weight: FINDING_WEIGHTS[kind],
    permission,
    connect,
    tier: first.ofWholeSide === true ? first.tier : tierOf(permission, operations, catalog),
    cause,
    message: messageOf(group, operations),
    operations,
    evidence: strongest(findings),
    notes: [...new Set(findings.flatMap(({ notes }) => notes))],
    drift: [],
    location: first.location ?? { file: '', line: 1, column: 1 },
  };
}

function strongest(findings: readonly Finding[]): PermissionFinding['evidence'] {
  const order = ['record', 'strong', 'weak'] as const;
  return order.find((evidence) => findings.some((one) => one.evidence === evidence)) ?? null;
}

function messageOf(
  { kind, cause, permission, connect, findings }: Group,
  operations: readonly OperationName[],
) {
  const where = connect ? ' for calls with Stripe-Account' : '';
  const names = callsInWords(operations);
  const calls = operations.length <= 2 ? `call ${names}` : `make ${names}`;
  const [first] = findings;
  switch (cause) {
    case 'extra':
      return `The key holds ${permission}${where}, which the profile does not ask for${operations.length === 0 ? '' : `: it can ${calls}`}. ${riskOf(permission ?? '').why}`;
    case 'unknown':
      // What tells of a whole side names no call.
      if (operations.length === 0) return first?.message ?? '';
      return `The key can ${calls}, which the profile does not ask for; which permission allows that is not known.`;
    case 'broader':
      return `The key can ${calls}, which the key that it is to replace cannot.`;
    case 'widening':
      return `${permission}, which the profile needs, also allows ${names}, which it does not accept. Stripe cannot separate them.`;
    case 'accepted':
      return `${permission} also allows ${names}; the profile accepts that. ${first?.message.replace(/^.*?The profile accepts that: /s, '') ?? ''}`.trim();
    case 'missing':
      return `The key lacks ${permission ?? 'a permission'}${where}, which the profile needs${operations.length === 0 ? '' : `: it cannot ${calls}`}.`;
    case 'impossible':
      return `The profile needs ${names}, which Stripe grants to no restricted key.`;
    case 'unanswered': {
      const what = first?.message.replace(/ Nothing is known about [^ ]*\.$/, '') ?? '';
      return `${what} Nothing is known about ${names}.`;
    }
    case 'not-seen':
    case 'agreement':
      return kind;
  }
}

/** A drift that is about a permission with a finding, or a call below it, is part of that finding; the others are gathered. */
function mergeDrifts(
  found: readonly Explained[],
  drifts: readonly Drift[],
  catalog: Catalog,
): { readonly merged: readonly Explained[]; readonly left: readonly Explained[] } {
  const taken = new Map<Explained, Drift[]>();
  const rest: Drift[] = [];
  for (const drift of drifts) {
    const isAbout = ({ kind, permission, operations }: Explained) =>
      kind !== 'inconclusive' && (permission === drift.name || operations.includes(drift.name));
    const owner = found.find(isAbout) ?? found.find((one) => isCallOf(drift.name, one, catalog));
    // What is accepted and new since the lock file is no longer a mere note.
    if (owner === undefined || (owner.kind === 'accepted' && drift.weight !== 'note')) rest.push(drift);
    else taken.set(owner, [...(taken.get(owner) ?? []), drift]);
  }
  const merged = found.map((finding) => {
    const own = [...new Set((taken.get(finding) ?? []).map(({ kind }) => kind))];
    return own.length === 0 ? finding : { ...finding, drift: own };
  });
  return { merged, left: gatherDrifts(rest, catalog) };
}

function isCallOf(name: string, { kind, permission, cause }: Explained, catalog: Catalog): boolean {
  if (kind !== 'over-grant' || cause !== 'extra' || permission === null) return false;
  const operation = catalog.operation(name);
  return operation !== undefined && allows(catalog.closure([permission]), operation);
}
