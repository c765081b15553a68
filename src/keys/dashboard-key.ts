import { depthFor } from '../audit/depth-for.ts';
import { probeKey } from '../audit/probe-key.ts';
import { EXIT, KeyauditError } from '../core/error.ts';
import { dashboardRows, dashboardUrl } from '../core/grant/dashboard-link.ts';
import { resultIsOk, type VerifyResult } from '../core/result/verify-report.ts';
import { SecretKey } from '../core/secret-key.ts';
import { paintFor, wrap } from '../report/text.ts';
import { verdictLine } from '../report/verify/words/verdict-line.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import type { OpenSession, Session } from '../session/session.ts';
import { fingerprintOf, type KeyRecord } from '../store/notes/key-records.ts';
import { profileDigest } from '../store/profile-library.ts';
import type { SecretStore } from '../store/secrets/secret-store.ts';
import { withoutSecretKey } from '../store/secrets/without-secret-key.ts';
import { rememberKey } from './remember-key.ts';

export interface DashboardOptions {
  /** Opens the link in a browser. */
  readonly open?: boolean;
}

/**
 * The way that works for everyone: shows the prefilled link and the rows to tick, takes the key that a
 * person made, verifies it, and only then stores it.
 * @throws KeyauditError `KEY_WRONG_KIND`, `LIVE_NOT_ALLOWED`, `KEY_NOT_AS_PROFILE` (exit 1 or 3)
 */
export async function takeDashboardKey(
  one: ProfileGrant,
  { open }: DashboardOptions,
  store: SecretStore,
  session: OpenSession,
): Promise<{ readonly record: KeyRecord; readonly superseded: readonly KeyRecord[] }> {
  const { profile, grant } = one;
  const { target } = session;
  const mode = session.globals.live ? 'live' : 'test';
  const url = await explain(one, mode, session);
  if (open === true) await openInBrowser(url, session);
  const pasted = await session.stdin.readSecret(`Paste the key for ${profile.name} (not shown): `);
  if (pasted.trim() === '') {
    throw new KeyauditError('KEY_MISSING', `No key was given for ${profile.name}.`, {
      hint: 'Make it by the link above, then paste it, or pipe it to standard input.',
      exitCode: EXIT.undetermined,
    });
  }
  const key = checked(SecretKey.of(pasted, 'What was pasted'), mode);
  const result = await probeKey(
    one,
    { key, variable: profile.env, place: 'standard input' },
    { depth: depthFor(profile, {}) },
    session,
  );
  if (!resultIsOk(result)) throw notAsProfile(result);
  await store.put(profile.env, key, profile.name);
  const fingerprint = fingerprintOf(key);
  const record: KeyRecord = {
    id: `dashboard:${fingerprint.slice('sha256:'.length, 'sha256:'.length + 12)}`,
    name: profile.name,
    profile: profile.name,
    profileDigest: profileDigest(profile),
    permissions: [...grant.permissions],
    connectPermissions: [...grant.connectPermissions],
    mode,
    keyApi: 'dashboard',
    target: target.name,
    apiBase: session.globals.apiBase === undefined ? undefined : target.apiBase,
    fingerprint,
    variable: profile.env,
    place: store.place,
    status: 'active',
    createdAt: session.now().toISOString(),
    verifiedAt: session.now().toISOString(),
  };
  return { record, superseded: await rememberKey(record, session) };
}

async function explain(
  { profile, grant }: ProfileGrant,
  mode: 'test' | 'live',
  { catalog, stderr }: Session,
): Promise<string> {
  const { name } = profile;
  const url = dashboardUrl(
    mode,
    { name, permissions: grant.permissions, connectPermissions: grant.connectPermissions },
    catalog,
  );
  const paint = paintFor(stderr);
  stderr.write(
    `${paint.bold(name)}: make a restricted ${mode} key by this link, with these rows and nothing else:\n`,
  );
  stderr.write(`  ${url}\n`);
  for (const row of dashboardRows(grant.permissions, catalog)) {
    stderr.write(
      wrap(`${row.group} › ${row.label} › ${row.level}`, stderr, { indent: '    ', first: '  ☐ ' }),
    );
  }
  const tag =
    'Asked how the key will be used, choose "authorizing an AI agent": Stripe\'s Approvals bind such keys alone. Tick "Customize permissions" if it is offered, and see that these rows are set.';
  stderr.write(wrap(tag, stderr, { indent: '  ' }));
  return url;
}

async function openInBrowser(url: string, { stderr, env }: Session): Promise<void> {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '']
        : ['xdg-open'];
  const { execa } = await import('execa');
  const run = await execa(command as string, [...args, url], {
    reject: false,
    stdio: 'ignore',
    env: withoutSecretKey(env),
    extendEnv: false,
    timeout: 5_000,
  });
  if (run.failed) stderr.write('The browser could not be opened; follow the link by hand.\n');
}

function checked(key: SecretKey, mode: 'test' | 'live'): SecretKey {
  if (key.kind !== 'restricted') {
    throw new KeyauditError(
      'KEY_WRONG_KIND',
      `That is no restricted key but ${key.kind === 'unknown' ? 'something else' : `a ${key.kind} key`} (${key}).`,
      {
        hint: 'A restricted key begins with rk_test_ or rk_live_. Nothing was stored.',
      },
    );
  }
  if (key.mode === mode) return key;
  if (key.mode === 'live') {
    throw new KeyauditError('LIVE_NOT_ALLOWED', 'That is a live key.', {
      hint: 'Say --live as well if you mean it, or make the key in test mode. Nothing was stored.',
    });
  }
  throw new KeyauditError('KEY_WRONG_MODE', 'That is a test key, but --live was said.', {
    hint: 'Make the key in live mode, or leave --live out. Nothing was stored.',
  });
}

function notAsProfile(result: VerifyResult): KeyauditError {
  const { overGrants, underGrants } = result.summary;
  return new KeyauditError('KEY_NOT_AS_PROFILE', `The key was not stored: ${verdictLine(result)}.`, {
    problems: result.findings.filter(({ kind }) => kind !== 'accepted').map(({ message }) => ({ message })),
    hint:
      result.stopped?.message ??
      'Correct its permissions in the Dashboard, or delete it there, and try again.',
    exitCode: overGrants + underGrants > 0 ? EXIT.findings : EXIT.undetermined,
  });
}
