import type { Catalog, PermissionName } from '../../catalog/catalog.ts';
import type { Expansions } from '../../catalog/expansion.ts';
import { type SmallestGrant, smallestGrant } from '../../grant/smallest-grant.ts';
import { permissionLines } from '../permission-lines.ts';
import {
  acceptStub,
  type DraftPermission,
  guardStub,
  type ProfileDraft,
  profileText,
} from '../profile-text.ts';
import { resolveDraft } from '../resolve-draft.ts';
import { capsOfRuns, type ProposedCaps } from './caps-of-runs.ts';
import type { FoldedRuns, UsedOperation } from './fold-runs.ts';

/** What made a permission part of a profile. */
export interface PermissionWitness {
  readonly permission: PermissionName;
  readonly connect: boolean;
  readonly operations: readonly string[];
  /** The most runs that called one of these operations. */
  readonly runs: number;
  /** When the last run that called one of them began. */
  readonly lastRun: string;
}

/** The least that an agent needed, as its recordings show it. */
export interface ProfileOfRuns {
  /** The profile as YAML, with what has to be accepted as comments. */
  readonly text: string;
  readonly grant: SmallestGrant;
  /** For the calls with `Stripe-Account`. */
  readonly connectGrant: SmallestGrant;
  readonly witnesses: readonly PermissionWitness[];
  /** Undefined where nothing moved. */
  readonly caps: ProposedCaps | undefined;
}

/** Which of the recorded calls count, and what the profile is called. */
export interface ProfileOfRunsOptions {
  readonly name: string;
  readonly description?: string | undefined;
  /** YYYY-MM-DD. */
  readonly today: string;
  /** Count calls that Stripe refused as calls that are needed. */
  readonly withRefused: boolean;
}

/** The smallest profile for what the runs called and expanded; writes that come along are still to be accepted. */
export function profileOfRuns(
  folded: FoldedRuns,
  catalog: Catalog,
  expansions: Expansions,
  { name, description, today, withRefused }: ProfileOfRunsOptions,
): ProfileOfRuns {
  const needed = withRefused ? [...folded.used, ...folded.refused] : folded.used;
  const sides = [false, true].map((connect) => {
    const calls = needed.filter(({ account }) => account === connect);
    const grant = smallestGrant(calls.flatMap(callsOf), catalog, expansions);
    return { calls, grant, witnesses: witnessesOf(grant, calls, connect) };
  });
  const [own, connect] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const lines = (side: typeof own) =>
    permissionLines(
      side.grant,
      side.calls.map(({ operation }) => operation),
      catalog,
    ).map((line) => ({
      ...line,
      comment: witnessComment(line, side, folded.runs, catalog),
    }));
  const draft: ProfileDraft = {
    name,
    description,
    comments: [
      `From ${folded.runs} recorded ${folded.runs === 1 ? 'run' : 'runs'}, ${day(folded.from)} to ${day(folded.to)}.`,
    ],
    permissions: lines(own),
    connectPermissions: lines(connect),
    allow: own.calls
      .map(({ operation }) => operation)
      .filter((operation) => (catalog.operation(operation)?.permissions.length ?? 0) > 0),
  };
  const caps = capsOfRuns(folded.moved);
  const accept = acceptStub(resolveDraft(draft, catalog, today).grant, catalog);
  return {
    text: `${profileText(draft)}${accept}${caps === undefined ? '' : guardStub({ ...caps, only: connect.calls.length === 0 ? 'checks' : undefined })}`,
    caps,
    grant: own.grant,
    connectGrant: connect.grant,
    witnesses: sides.flatMap((side) => side.witnesses),
  };
}

/** As {@link smallestGrant} takes them: a path of `expand` that is not known leaves the call itself known. */
function callsOf({ endpoint, expand }: UsedOperation): string[] {
  return [endpoint, ...expand.map((path) => `${endpoint}?expand[]=${path}`)];
}

function witnessesOf(
  grant: SmallestGrant,
  calls: readonly UsedOperation[],
  connect: boolean,
): PermissionWitness[] {
  return grant.reasons.map(({ permission, operations }) => {
    const direct = calls.filter(({ operation }) => operations.includes(operation));
    // What is expanded is read by another call than the one that was made.
    const by = direct.length > 0 ? direct : calls.filter(({ expand }) => expand.length > 0);
    return { permission, connect, operations: by.map(({ operation }) => operation), ...sightings(by) };
  });
}

function sightings(calls: readonly UsedOperation[]): { runs: number; lastRun: string } {
  return {
    runs: Math.max(0, ...calls.map(({ runs }) => runs)),
    lastRun:
      calls
        .map(({ lastRun }) => lastRun)
        .sort()
        .at(-1) ?? '',
  };
}

/** `7 of 9 runs, last 2026-11-24`: who saw that this line is needed. */
function witnessComment(
  { name }: DraftPermission,
  { calls, witnesses }: { calls: readonly UsedOperation[]; witnesses: readonly PermissionWitness[] },
  runs: number,
  catalog: Catalog,
): string | undefined {
  const own = calls.filter(({ operation }) => catalog.operation(operation)?.resource === name);
  const raw = witnesses.find(({ permission }) => catalog.closure([permission]).has(name));
  const seen = own.length > 0 ? sightings(own) : raw;
  return seen === undefined ? undefined : `${seen.runs} of ${runs} runs, last ${day(seen.lastRun)}`;
}

/** YYYY-MM-DD of a time. */
function day(time: string): string {
  return time.slice(0, 10);
}
