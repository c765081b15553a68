import { madeElsewhere } from '../audit/made-elsewhere.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import type { OpenSession } from '../session/session.ts';
import { findKey } from '../store/find-key.ts';
import { fingerprintOf } from '../store/notes/key-records.ts';
import { type RunWithKeysOptions, refuseSharedVariables, runWithKeys, sayLent } from './lend-key.ts';

/**
 * Lends a command the keys that are stored, for accounts where no program makes keys: the command sees them and not
 * the secret key, and they work on afterwards.
 * @returns the exit code of the command
 * @throws KeyauditError `KEY_MISSING`, `KEY_ELSEWHERE`, `LIVE_NOT_ALLOWED`
 */
export async function lendStored(
  grants: readonly ProfileGrant[],
  child: RunWithKeysOptions,
  session: OpenSession,
): Promise<number> {
  refuseSharedVariables(grants.map(({ profile }) => profile));
  const { env, cwd, globals, records, target } = session;
  const known = await records.all();
  const keys = [];
  for (const { profile } of grants) {
    const { name, env: variable } = profile;
    const where = { profile: name, variable, env, cwd, live: globals.live, records, here: target.name };
    const found = await findKey(where);
    const elsewhere = await madeElsewhere(found, session);
    if (elsewhere !== undefined) throw elsewhere;
    const fingerprint = fingerprintOf(found.key);
    const id = known.find((record) => record.fingerprint === fingerprint)?.id ?? fingerprint;
    keys.push({ ...found, name: `${id} of ${name}` });
  }
  const startedAt = performance.now();
  const exitCode = await runWithKeys(keys, child, session);
  const names = keys.map(({ name }) => name);
  sayLent(
    names,
    { command: child.command, exitCode, startedAt, after: 'as stored, so it works on' },
    session,
  );
  return exitCode;
}
