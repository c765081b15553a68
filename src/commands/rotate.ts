import { setTimeout as delay } from 'node:timers/promises';
import { probeKey } from '../audit/probe-key.ts';
import { allows, type PermissionName } from '../core/catalog/catalog.ts';
import { DAY_MS, parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { resultIsOk, type VerifyResult } from '../core/result/verify-report.ts';
import { forgetSecret } from '../keys/clean-up.ts';
import { createKey, type PendingKey, publishKey } from '../keys/make-key.ts';
import { openKeyApi } from '../keys/open-key-api.ts';
import { type Retirement, retireKey, seconds } from '../keys/retire-key.ts';
import { paintFor, wrap } from '../report/text.ts';
import type { ReportRequest } from '../report/verify/formats.ts';
import { verdictLine } from '../report/verify/table.ts';
import type { CommandContext } from '../session/context.ts';
import { loadCatalog } from '../session/load-catalog.ts';
import { grantsFor, type ProfileGrant } from '../session/profile-grant.ts';
import { startSpinner } from '../session/progress.ts';
import { printResult } from '../session/result-output.ts';
import { parseReportRequests, printReports } from '../session/verify-output.ts';
import { type FoundKey, findKey } from '../store/find-key.ts';
import { fingerprintOf, type KeyRecord, readKeyRecords, updateKeyRecords } from '../store/key-records.ts';
import { openStore, type SecretStore } from '../store/secrets/secret-store.ts';
import type { KeyApi } from '../stripe/key-apis/key-api.ts';
import { type OpenTarget, openTarget } from '../targets/open-target.ts';
import { accountOf } from './provision.ts';
import { describe } from './revoke.ts';

export interface RotateOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  /** Rotates only keys made longer ago, such as `90d`. */
  readonly olderThan?: string;
  /** How long the old key goes on working after the new one is published. */
  readonly grace?: string;
  readonly dryRun?: boolean;
  readonly store?: string;
  readonly reveal?: boolean;
  readonly account?: string;
  readonly wait: boolean;
  /** Reports of the new keys' verification, each `FORMAT=FILE`. */
  readonly report?: readonly string[];
}

/** What became of one profile's key. */
interface Rotation {
  readonly profile: string;
  readonly outcome: 'rotated' | 'refused' | 'skipped' | 'planned';
  readonly old: { readonly id: string; readonly createdAt: string } | null;
  readonly record: KeyRecord | null;
  readonly verification: VerifyResult | null;
  /** What the new key could do and the old one could not. */
  readonly broader: readonly string[];
  readonly retirement: Retirement | null;
  readonly message: string;
}

/**
 * `keyaudit rotate`: make a new key, verify it against the profile and against the old key, only then
 * publish it, then retire the old one. A broader key is undone; the old one stays untouched.
 */
export async function rotate(options: RotateOptions, context: CommandContext): Promise<ExitCode> {
  const requests = await parseReportRequests(options.report ?? [], context);
  const grants = await grantsFor(options, context);
  const olderThanMs = options.olderThan === undefined ? undefined : parseDuration(options.olderThan);
  const graceMs = options.grace === undefined ? 0 : parseDuration(options.grace);
  const target = await openTarget(context);
  try {
    const rotations: Rotation[] = [];
    try {
      for (const one of grants) {
        if (context.signal.aborted) throw context.signal.reason;
        rotations.push(await rotateOne(one, { ...options, olderThanMs, graceMs }, target, context));
      }
    } finally {
      // What was done is told also when the next one failed.
      if (rotations.length > 0) await report(rotations, requests, target, context);
    }
    if (rotations.every(({ outcome }) => outcome !== 'refused')) return EXIT.ok;
    const isFinding = ({ verification, broader }: Rotation) =>
      broader.length > 0 ||
      (verification !== null && verification.summary.overGrants + verification.summary.underGrants > 0);
    return rotations.some(isFinding) ? EXIT.findings : EXIT.undetermined;
  } finally {
    await target.close();
  }
}

interface OneOptions extends RotateOptions {
  readonly olderThanMs: number | undefined;
  readonly graceMs: number;
}

async function rotateOne(
  one: ProfileGrant,
  options: OneOptions,
  target: OpenTarget,
  context: CommandContext,
): Promise<Rotation> {
  const { profile } = one;
  const mode = context.globals.live ? 'live' : 'test';
  const records = await readKeyRecords(context.cwd);
  const old = records.findLast(
    (record) =>
      record.profile === profile.name &&
      record.target === context.globals.target &&
      record.mode === mode &&
      record.status === 'active',
  );
  const base: Rotation = {
    profile: profile.name,
    outcome: 'skipped',
    old: old === undefined ? null : { id: old.id, createdAt: old.createdAt },
    record: null,
    verification: null,
    broader: [],
    retirement: null,
    message: '',
  };
  if (old === undefined) {
    if (options.all === true)
      return { ...base, message: 'No key was made here yet, so there is none to rotate.' };
    throw new KeyauditError(
      'KEY_UNKNOWN',
      `No ${mode} key of ${profile.name} was made here for the target ${context.globals.target}.`,
      {
        hint: `Make one with "keyaudit provision ${profile.name}".`,
        exitCode: EXIT.undetermined,
      },
    );
  }
  const ageMs = context.now().getTime() - Date.parse(old.createdAt);
  if (options.olderThanMs !== undefined && ageMs < options.olderThanMs) {
    return {
      ...base,
      message: `${old.id} is ${Math.floor(ageMs / DAY_MS)} days old, younger than ${options.olderThan}.`,
    };
  }
  const store = storeOf(old, options, context);
  if (old.keyApi === 'dashboard') {
    return {
      ...base,
      message: `${old.id} was made in the Dashboard. Run "keyaudit provision ${profile.name} --key-api dashboard" for a new one, then delete the old one there.`,
    };
  }
  if (options.dryRun === true) {
    return {
      ...base,
      outcome: 'planned',
      message: `Would make a new key, verify it, store it in ${store.place}, and end ${old.id}.`,
    };
  }
  const account = accountOf({
    ...(old.account === undefined ? {} : { account: old.account }),
    ...accountOf(options),
  });
  const api = openKeyApi(old.keyApi === 'restricted_keys' ? 'restricted_keys' : 'managed', target, account);
  const oldKey = await findKey({
    profile: profile.name,
    variable: old.variable,
    env: context.env,
    cwd: context.cwd,
    live: context.globals.live,
  }).catch(() => undefined);
  const pending = await createKey(one, api, target, context, { command: 'rotate', ...account });
  const judged = await judge(pending, old, oldKey, one, target, context).catch(async (error: unknown) => {
    await pending.undo();
    throw error;
  });
  if (judged.message !== '') {
    await pending.undo();
    return { ...base, ...judged, outcome: 'refused' };
  }
  const verified = { ...pending, record: { ...pending.record, verifiedAt: context.now().toISOString() } };
  await verified.work.update({ retire: old.id });
  const { record } = await publishKey(verified, store, context);
  const retirement = await retireOld(old, oldKey, verified, api, options, target, context);
  return { ...base, ...judged, outcome: 'rotated', record, retirement, message: '' };
}

/** Where the new secret goes: `--store`, else where the old one was. */
function storeOf(old: KeyRecord, options: RotateOptions, context: CommandContext): SecretStore {
  const isNamed = old.place === 'stdout' || old.place.startsWith('exec:');
  return openStore(options.store ?? (isNamed ? old.place : `env-file:${old.place}`), {
    cwd: context.cwd,
    reveal: options.reveal === true ? context.reveal : undefined,
    log: context.stderr.write,
  });
}

/** The new key against the profile, and against what the old one could do; `message` says why not. */
async function judge(
  { key, record }: PendingKey,
  old: KeyRecord,
  oldKey: FoundKey | undefined,
  one: ProfileGrant,
  target: OpenTarget,
  context: CommandContext,
): Promise<Pick<Rotation, 'verification' | 'broader' | 'message'>> {
  const found = { key: key.secret, variable: record.variable, place: 'new' };
  const verification = await probeKey(one, found, {}, target, context);
  if (!resultIsOk(verification)) {
    return {
      verification,
      broader: [],
      message: `The new key is not as its profile says: ${verdictLine(verification)}.`,
    };
  }
  const isOld = oldKey !== undefined && fingerprintOf(oldKey.key) === old.fingerprint;
  const before = isOld ? await probeKey(one, oldKey, {}, target, context) : undefined;
  const broader =
    before === undefined || before.stopped !== undefined
      ? broaderThanRecord(verification, old.permissions)
      : broaderThanProbed(verification, before);
  const message =
    broader.length === 0
      ? ''
      : `The new key can do what the old one could not: ${broader.join(', ')}. Widen a key on purpose with "keyaudit provision ${record.profile}".`;
  return { verification: withBroader(verification, broader), broader, message };
}

/** What the old key could not do is an over-grant in every report. */
function withBroader(verification: VerifyResult, broader: readonly string[]): VerifyResult {
  const { findings, summary, probes } = verification;
  const added = probes
    .filter(({ operation }) => broader.includes(operation))
    .map((probe) => ({
      ...probe,
      kind: 'over-grant' as const,
      message: `This key can call ${probe.operation} (${probe.method} ${probe.path}), which the key that it is to replace cannot.`,
    }));
  return {
    ...verification,
    findings: [...added, ...findings],
    summary: {
      ...summary,
      passed: summary.passed - added.length,
      overGrants: summary.overGrants + added.length,
    },
  };
}

function broaderThanProbed(after: VerifyResult, before: VerifyResult): readonly string[] {
  const could = new Map(before.probes.map((probe) => [probe.operation, probe.observed]));
  return after.probes
    .filter(({ operation, observed }) => observed === 'allowed' && could.get(operation) !== 'allowed')
    .map(({ operation }) => operation);
}

/** For an old key that is dead or out of reach: what its record says that it held. */
function broaderThanRecord(after: VerifyResult, held: readonly PermissionName[]): readonly string[] {
  const catalog = loadCatalog();
  const effective = catalog.closure(held);
  return after.probes
    .filter(({ operation, observed }) => {
      const known = catalog.operation(operation);
      return observed === 'allowed' && known !== undefined && !allows(effective, known);
    })
    .map(({ operation }) => operation);
}

/** Longest watch for the narrowing of an old key, in ms. */
const WATCH_MS = 600_000;

async function retireOld(
  old: KeyRecord,
  oldKey: FoundKey | undefined,
  { work }: PendingKey,
  api: KeyApi,
  { graceMs, wait }: OneOptions,
  target: OpenTarget,
  context: CommandContext,
): Promise<Retirement> {
  const dueAt = new Date(context.now().getTime() + graceMs);
  await work.update({
    step: 'retiring',
    retire: old.id,
    ...(graceMs > 0 ? { dueAt: dueAt.toISOString() } : {}),
  });
  if (graceMs > 0 && !(await graceIsOver(old, dueAt, context))) {
    await updateKeyRecords(context.cwd, (records) =>
      records.map((record) => (record.id === old.id ? { ...record, status: 'retiring' } : record)),
    );
    return { id: old.id, alreadyGone: false, unwatched: 'interrupted' };
  }
  const isOld = oldKey !== undefined && fingerprintOf(oldKey.key) === old.fingerprint;
  const spinner = await startSpinner(context, `Retiring ${old.id}`);
  const retirement = await retireKey(
    {
      id: old.id,
      permissions: old.permissions,
      ...(isOld ? { secret: oldKey.key } : {}),
      watchUntil: wait ? 'dead' : 'narrowed',
      timeoutMs: WATCH_MS,
      onProgress: spinner.update,
    },
    api,
    target,
    context,
  ).finally(spinner.stop);
  await forgetSecret(old.id, context);
  await work.end();
  return retirement;
}

/** Waits; false when interrupted, and then the next keyaudit command after that time retires the key. */
async function graceIsOver(old: KeyRecord, dueAt: Date, context: CommandContext): Promise<boolean> {
  const spinner = await startSpinner(context, `The new key is published; ${old.id} goes on working`);
  try {
    for (;;) {
      const left = dueAt.getTime() - context.now().getTime();
      if (left <= 0) return true;
      if (context.signal.aborted) return false;
      spinner.update(`${seconds(left)} of grace left; Ctrl-C leaves the rest to the next keyaudit command`);
      await delay(Math.min(left, 1_000), undefined, { signal: context.signal }).catch(() => {});
    }
  } finally {
    spinner.stop();
  }
}

async function report(
  rotations: readonly Rotation[],
  requests: readonly ReportRequest[],
  target: OpenTarget,
  context: CommandContext,
): Promise<void> {
  const isOwn = context.globals.format === 'table' || context.globals.format === 'json';
  const { source, apiVersion } = loadCatalog();
  const verifications = rotations.flatMap(({ verification }) =>
    verification === null ? [] : [verification],
  );
  await printReports(
    {
      target: context.globals.target,
      apiBase: target.apiBase,
      targetNote: target.note,
      catalog: source,
      apiVersion,
      depth: 'permissions',
      results: verifications,
    },
    isOwn ? requests.slice(1) : requests,
    context,
  );
  if (isOwn) await printRotations(rotations, target, context);
}

async function printRotations(
  rotations: readonly Rotation[],
  target: OpenTarget,
  context: CommandContext,
): Promise<void> {
  const { verbose } = context.globals;
  await printResult(context, {
    json: {
      schema: 'keyaudit.rotate/1',
      ok: rotations.every(({ outcome }) => outcome !== 'refused'),
      target: context.globals.target,
      targetNote: target.note,
      rotations: rotations.map(({ verification, ...rotation }) => ({
        ...rotation,
        verification:
          verification === null || verbose ? verification : { ...verification, probes: undefined },
      })),
    },
    table: (output) => {
      const paint = paintFor(output);
      output.write(paint.dim(wrap(target.note, output)));
      const marks = { rotated: paint.green('✔'), refused: paint.red('✘'), skipped: '–', planned: '→' };
      for (const { profile, outcome, old, record, verification, retirement, message } of rotations) {
        output.write(`${marks[outcome]} ${paint.bold(profile)} ${outcome}\n`);
        const line = (text: string) => output.write(wrap(text, output, { indent: '    ', first: '  ' }));
        if (record !== null && verification !== null) {
          line(`New key ${record.id}, ${record.variable} in ${record.place}: ${verdictLine(verification)}.`);
        }
        if (retirement !== null) line(`Old key ${retirement.id} ${describe(retirement)}`);
        if (message !== '') line(message);
        if (outcome !== 'refused') continue;
        line(`The new key was ended. ${old?.id} is untouched.`);
        for (const finding of verification?.findings ?? []) {
          if (finding.kind !== 'accepted') line(`${finding.kind}: ${finding.message}`);
        }
      }
    },
  });
}
