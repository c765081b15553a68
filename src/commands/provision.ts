import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { unacceptedWrites } from '../core/finding.ts';
import { paintFor, wrap } from '../report/text.ts';
import { writeEnvFile } from '../store/env-file.ts';
import { DEFAULT_STORE } from '../store/find-key.ts';
import { fingerprintOf, type KeyRecord, readKeyRecords, updateKeyRecords } from '../store/key-records.ts';
import { profileDigest } from '../store/profile-library.ts';
import { openWorkspace } from '../store/workspace.ts';
import { type KeyApi, type KeyApiKind, keyName, type MadeKey } from '../stripe/key-api.ts';
import { createManagedKeyApi } from '../stripe/managed-key-api.ts';
import type { CommandContext } from './context.ts';
import { type OpenTarget, openTarget } from './open-target.ts';
import { grantsFor, type ProfileGrant } from './profile-grant.ts';
import { printResult } from './result-output.ts';

export interface ProvisionOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly keyApi?: KeyApiKind;
}

/** `keyaudit provision`: make the key of each profile and put its secret where the agent finds it. */
export async function provision(options: ProvisionOptions, context: CommandContext): Promise<ExitCode> {
  const grants = await grantsFor(options, context);
  // Before anything is made: a secret that cannot be kept must not come to be.
  await openWorkspace(context.cwd);
  await readKeyRecords(context.cwd);
  for (const { profile, grant } of grants) warnOfWidenings(profile.name, grant, context);
  const target = await openTarget(context);
  try {
    const secretKey = target.secretKey();
    const api = createManagedKeyApi({ secretKey, apiBase: target.apiBase });
    const made: { record: KeyRecord; superseded: readonly KeyRecord[] }[] = [];
    for (const one of grants) {
      if (context.signal.aborted) throw context.signal.reason;
      made.push(await provisionOne(one, api, target, context));
    }
    await printResult(context, {
      json: {
        schema: 'keyaudit.provision/1',
        target: context.globals.target,
        targetNote: target.note,
        keys: made.map(({ record, superseded }) => ({
          ...record,
          superseded: superseded.map((old) => old.id),
        })),
      },
      table: (output) => {
        const paint = paintFor(output);
        output.write(paint.dim(wrap(target.note, output)));
        for (const { record, superseded } of made) {
          output.write(
            `${paint.green('✔')} ${paint.bold(record.profile)} ${record.id} ${paint.dim(`${record.mode}, ${record.fingerprint}`)}\n`,
          );
          output.write(
            wrap(`${record.variable} in ${record.place}: ${record.permissions.join(', ')}`, output, {
              indent: '    ',
              first: '  ',
            }),
          );
          for (const old of superseded) {
            output.write(
              wrap(`The previous key ${old.id} still works; "keyaudit revoke ${old.id}" ends it.`, output, {
                indent: '    ',
                first: '  ',
              }),
            );
          }
        }
        output.write(
          `Prove ${made.length === 1 ? 'it' : 'them'}: keyaudit verify ${made.length === 1 ? `--profile ${made[0]?.record.profile}` : '--all'}\n`,
        );
      },
    });
    return EXIT.ok;
  } finally {
    await target.close();
  }
}

async function provisionOne(
  { profile, grant }: ProfileGrant,
  api: KeyApi,
  target: OpenTarget,
  context: CommandContext,
): Promise<{ record: KeyRecord; superseded: readonly KeyRecord[] }> {
  if (grant.permissions.length === 0) {
    throw new KeyauditError(
      'PROFILE_EMPTY',
      `${profile.name} asks for nothing, and Stripe makes no key without a permission.`,
      {
        hint: 'Name at least one resource under "permissions".',
      },
    );
  }
  const name = keyName(profile.name, context.now(), randomBytes(3).toString('hex'));
  const digest = profileDigest(profile);
  const key = await api.create({
    name,
    note: `keyaudit profile ${profile.name} ${digest}`,
    permissions: grant.permissions,
    connectPermissions: grant.connectPermissions,
    restrictions: grant.restrictions,
    mode: target.secretKey().mode ?? 'test',
    idempotencyKey: `keyaudit-${randomUUID()}`,
  });
  await writeEnvFile(join(context.cwd, DEFAULT_STORE), profile.env, key.secret).catch(
    async (error: unknown) => {
      // A key whose secret is lost is of use to nobody, and must not stay.
      await api.expire(key.id);
      throw error;
    },
  );
  const record = recordOf(key, { name, digest, grantOf: { profile, grant }, api, context });
  let superseded: readonly KeyRecord[] = [];
  await updateKeyRecords(context.cwd, (records) => {
    const isPrevious = (old: KeyRecord) =>
      old.profile === record.profile &&
      old.target === record.target &&
      old.mode === record.mode &&
      old.status === 'active';
    superseded = records.filter(isPrevious);
    return [
      ...records.map((old) => (isPrevious(old) ? { ...old, status: 'superseded' as const } : old)),
      record,
    ];
  });
  return { record, superseded };
}

function recordOf(
  key: MadeKey,
  made: { name: string; digest: string; grantOf: ProfileGrant; api: KeyApi; context: CommandContext },
): KeyRecord {
  const { profile, grant } = made.grantOf;
  return {
    id: key.id,
    name: made.name,
    profile: profile.name,
    profileDigest: made.digest,
    permissions: [...grant.permissions],
    connectPermissions: [...grant.connectPermissions],
    mode: key.mode,
    keyApi: made.api.kind,
    target: made.context.globals.target,
    fingerprint: fingerprintOf(key.secret),
    variable: profile.env,
    place: DEFAULT_STORE,
    status: 'active',
    createdAt: key.createdAt.toISOString(),
    ...(key.expiresAt === undefined ? {} : { expiresAt: key.expiresAt.toISOString() }),
  };
}

function warnOfWidenings(name: string, grant: ProfileGrant['grant'], context: CommandContext): void {
  for (const widening of unacceptedWrites(grant.widenings)) {
    const text = `${name}: ${widening.permission} also allows ${widening.operations.join(', ')}, which the profile does not accept; verify will report it.`;
    context.stderr.write(wrap(text, context.stderr, { indent: '  ', first: 'warning: ' }));
  }
}
