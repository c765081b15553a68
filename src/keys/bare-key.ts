import { liveRefused } from '../core/calibrate/calibrate-error.ts';
import type { PermissionName } from '../core/catalog/catalog.ts';
import { EXIT, KeyauditError } from '../core/error.ts';
import { readProfile } from '../core/profile/read-profile.ts';
import { resolveProfile } from '../core/profile/resolve-profile.ts';
import { SecretKey } from '../core/secret-key.ts';
import { today } from '../session/context.ts';
import { type ProfileGrant, satisfiableGrant } from '../session/profile-grant.ts';
import type { OpenSession } from '../session/session.ts';
import { requireOfAccount, requireRestricted } from '../store/find-key.ts';
import { HARMLESS_PERMISSION } from './end/retire-key.ts';
import { createKey } from './make-key.ts';
import { openKeyApi } from './open-key-api.ts';

/** A key that holds nothing useful, for as long as a run needs it. */
export interface BareKey {
  readonly key: SecretKey;
  /** What it is known to hold all the same. */
  readonly holds: readonly string[];
  end(): Promise<void>;
}

/** The key that holds nothing useful: the one in `variable`, or one that is made for this run and ended with it. */
export async function openBareKey(variable: string | undefined, session: OpenSession): Promise<BareKey> {
  return variable === undefined ? madeBareKey(session) : givenBareKey(variable, session);
}

function givenBareKey(variable: string, { env }: OpenSession): BareKey {
  const text = env[variable] ?? '';
  if (text.trim() === '') {
    throw new KeyauditError('KEY_MISSING', `The variable ${variable} is not set.`, {
      hint: 'Set it to a restricted test key that holds nothing useful.',
      exitCode: EXIT.undetermined,
    });
  }
  const key = SecretKey.ofVariable(variable, text);
  requireOfAccount(key, `The variable ${variable}`);
  if (key.kind === 'restricted' && key.mode !== 'test') throw liveRefused();
  requireRestricted(key, `The variable ${variable}`, false);
  return { key, holds: [], end: async () => {} };
}

function madeBareKey(session: OpenSession): Promise<BareKey> {
  return openKeyWith(HARMLESS_PERMISSION, session).catch((error: unknown) => {
    if (!(error instanceof KeyauditError) || error.code !== 'KEY_API_UNAVAILABLE') throw error;
    throw new KeyauditError(error.code, error.message, {
      hint: 'Make a restricted test key without permissions in the Dashboard, and name its variable with --bare-key-env.',
      cause: error,
    });
  });
}

/** A test key with just this permission, whether the catalog knows it or not; made for this run and ended with it. */
export async function openKeyWith(permission: PermissionName, session: OpenSession): Promise<BareKey> {
  const api = openKeyApi('managed', {}, session);
  const { profile, grant } = bareProfile(session);
  const asked = { profile, grant: { ...grant, permissions: [permission] } };
  const made = await createKey(asked, { command: 'calibrate' }, api, session);
  await made.work.update({ step: 'running' });
  return {
    key: made.key.secret,
    holds: [permission],
    end: () => made.undo().finally(made.work.leave),
  };
}

function bareProfile({ shippedCatalog, now }: OpenSession): ProfileGrant {
  const text = `name: calibrate\npermissions: { ${HARMLESS_PERMISSION}: read }\n`;
  const reading = readProfile(text, 'calibrate', shippedCatalog);
  if (!reading.ok) throw new Error('the bare profile is wrong');
  const profile = resolveProfile(reading.profile, () => undefined);
  return { profile, grant: satisfiableGrant(profile, shippedCatalog, today({ now })) };
}
