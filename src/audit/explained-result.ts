import { resolve } from 'node:path';
import { acceptanceEdit } from '../core/draft/acceptance-edit.ts';
import { DAY_MS } from '../core/duration.ts';
import { explainResult } from '../core/result/findings/explain-result.ts';
import {
  type AskedSo,
  acceptanceReason,
  type FixContext,
  fixFor,
  fixForStopped,
} from '../core/result/findings/fix.ts';
import type { PermissionFinding } from '../core/result/findings/permission-finding.ts';
import { notDetermined } from '../core/result/not-determined.ts';
import type { VerifyResult } from '../core/result/verify-report.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import type { OpenSession, Session } from '../session/session.ts';
import { readTextFile } from '../store/files/read-text-file.ts';
import type { LockFile } from '../store/lock-file.ts';
import { DEFAULT_STORE } from '../store/secrets/env-file-store.ts';

/** A result with its findings by the permission that explains them, each with what mends it on this target. */
export async function explainedResult(
  result: VerifyResult,
  { profile, grant }: ProfileGrant,
  session: OpenSession,
  lockFile?: LockFile,
  asked?: AskedSo,
): Promise<VerifyResult> {
  const key =
    result.key === null ? null : { ...result.key, madeFor: await madeFor(result, session, lockFile) };
  const known = { ...result, key };
  const context = { ...(await fixContext(known, profile, session, lockFile)), asked };
  const permissionFindings = explainResult(known, {
    grant,
    catalog: session.catalog,
    fixFor: (finding) => fixFor(finding, context),
  });
  const withEdits = await withAcceptanceEdits(permissionFindings, profile, context, session);
  const why = notDetermined(known);
  const stoppedFix = why === undefined ? undefined : fixForStopped(why.code, context);
  return { ...known, permissionFindings: withEdits, stoppedFix };
}

/** For what the profile could accept, the lines that do it; only where they are sure to do that and nothing else. */
async function withAcceptanceEdits(
  findings: readonly PermissionFinding[],
  { file }: ProfileGrant['profile'],
  { ownFile, acceptUntil }: FixContext,
  { cwd }: Pick<Session, 'cwd'>,
): Promise<readonly PermissionFinding[]> {
  if (!ownFile || !findings.some(({ cause }) => cause === 'widening')) return findings;
  const text = await readTextFile(resolve(cwd, file)).catch(() => undefined);
  if (text === undefined) return findings;
  return findings.map((finding) => {
    const { cause, operations, permission, fix } = finding;
    if (cause !== 'widening' || fix === null) return finding;
    const reason = acceptanceReason(permission);
    const edit = acceptanceEdit(text, { operations, reason, until: acceptUntil });
    return edit === undefined ? finding : { ...finding, fix: { ...fix, edit: { file, ...edit } } };
  });
}

/** The other profile whose key this is, by what is remembered here and by the lock file. */
async function madeFor(
  { key, profile }: VerifyResult,
  { records }: Pick<Session, 'records'>,
  lockFile: LockFile | undefined,
): Promise<string | null> {
  const remembered = (await records.all()).filter(({ fingerprint }) => fingerprint === key?.fingerprint);
  if (remembered.some((record) => record.profile === profile)) return null;
  const [made] = remembered;
  if (made !== undefined) return made.profile;
  const locked = Object.entries(lockFile?.lock.profiles ?? {}).filter(
    ([, { fingerprint }]) => fingerprint === key?.fingerprint,
  );
  return locked.some(([name]) => name === profile) ? null : (locked[0]?.[0] ?? null);
}

async function fixContext(
  result: VerifyResult,
  profile: ProfileGrant['profile'],
  { globals, target, records, library, policy, now }: OpenSession,
  lockFile: LockFile | undefined,
): Promise<FixContext> {
  const { key } = result;
  const record = (await records.all()).findLast(
    ({ profile: name, status, fingerprint, target: server }) =>
      name === profile.name &&
      server === target.name &&
      (key === null ? status === 'active' : fingerprint === key.fingerprint && status === 'active'),
  );
  const named = await library.find(profile.name).catch(() => undefined);
  const isNamed = named?.file === profile.file;
  return {
    profile: isNamed ? profile.name : asPath(profile.file),
    ownFile: named === undefined || !isNamed || named.origin === 'own',
    flags: [
      ...(target.name === 'sandbox' && globals.apiBase === undefined ? [] : ['--target', target.name]),
      ...(globals.apiBase === undefined ? [] : ['--api-base', globals.apiBase]),
      ...(globals.live ? ['--live'] : []),
      ...(globals.policy === undefined ? [] : ['--policy', globals.policy]),
    ],
    variable: key?.variable ?? profile.env,
    place: key?.place ?? '',
    made: record === undefined ? undefined : { keyApi: record.keyApi, place: record.place },
    isLasting: target.name !== 'stripe-mock',
    madeFor: key?.madeFor ?? null,
    lockFile: lockFile?.file,
    acceptUntil:
      (await policy())?.untilOnAccepts === true
        ? new Date(now().getTime() + 365 * DAY_MS).toISOString().slice(0, 10)
        : undefined,
    defaultPlace: DEFAULT_STORE,
    recordUnread: result.witnesses?.record.read === false ? result.witnesses.record.reason : undefined,
    unseen: result.unseen,
    contradictions: result.contradictions ?? [],
    target: target.name,
  };
}

/** A file of the working folder, so that it is taken for a path and not for a profile's name. */
function asPath(file: string): string {
  return /[\\/]/.test(file) ? file : `./${file}`;
}
