import { depthFor } from '../../audit/depth-for.ts';
import { probeKey } from '../../audit/probe-key.ts';
import { EXIT, KeyauditError } from '../../core/error.ts';
import { dashboardRows, dashboardUrl } from '../../core/grant/dashboard-link.ts';
import type { VerifyResult } from '../../core/result/verify-report.ts';
import { SecretKey } from '../../core/secret-key.ts';
import { paintFor, wrap } from '../../report/text.ts';
import type { ProfileGrant } from '../../session/profile-grant.ts';
import type { SecretPrompt } from '../../session/prompts/secret-prompt.ts';
import type { OpenSession } from '../../session/session.ts';
import { requireOfAccount } from '../../store/find-key.ts';
import { fingerprintOf, type KeyRecord } from '../../store/notes/key-records.ts';
import { withoutSecretKey } from '../../store/secrets/without-secret-key.ts';

export interface PasteKeyOptions {
  /** What the key is called in the Dashboard. */
  readonly name: string;
  /** The key that it is to replace, which is none to paste. */
  readonly old?: KeyRecord;
  /** Opens the link in a browser. */
  readonly open?: boolean;
}

/** A key that a person made in the Dashboard and pasted, and what probes showed of it; stored nowhere yet. */
export interface PastedKey {
  readonly key: SecretKey;
  readonly result: VerifyResult;
}

/** On a terminal a wrong paste is asked for again; a pipe has one answer. */
const TRIES = 3;

/**
 * Shows the link with everything filled in and the rows to tick, takes the key that a person made there, and probes it.
 * @throws KeyauditError `KEY_MISSING`, `KEY_MALFORMED`, `ORGANISATION_KEY`, `KEY_WRONG_KIND`, `LIVE_NOT_ALLOWED`, `KEY_WRONG_MODE`
 */
export async function pasteKey(
  one: ProfileGrant,
  { name, old, open }: PasteKeyOptions,
  prompt: SecretPrompt,
  session: OpenSession,
): Promise<PastedKey> {
  const { profile } = one;
  const { stderr, stdin } = session;
  const mode = session.globals.live ? 'live' : 'test';
  const url = explain(one, name, mode, session);
  if (open === true) await openInBrowser(url, session);
  for (let left = stdin.isTerminal ? TRIES - 1 : 0; ; left--) {
    const text = await prompt.ask(`Paste the key for ${profile.name} (not shown): `);
    try {
      const key = checked(text, mode, profile.name, old);
      const result = await probeKey(
        one,
        { key, variable: profile.env, place: 'standard input' },
        { depth: depthFor(profile, {}) },
        session,
      );
      if (left === 0 || result.stopped?.code !== 'KEY_DEAD') return { key, result };
      throw new KeyauditError('KEY_DEAD', `That key was refused: ${result.stopped.message}`);
    } catch (error) {
      if (left === 0 || !(error instanceof KeyauditError) || error.code === 'INTERRUPTED') throw error;
      const hint = error.hint === undefined ? '' : ` ${error.hint}`;
      const tries = left === 1 ? 'one more try' : `${left} more tries`;
      stderr.write(wrap(`${error.message}${hint} You have ${tries}.`, stderr, { indent: '  ' }));
    }
  }
}

function explain(
  { profile, grant }: ProfileGrant,
  name: string,
  mode: 'test' | 'live',
  { catalog, stderr }: OpenSession,
): string {
  const { permissions, connectPermissions } = grant;
  const url = dashboardUrl(mode, { name, permissions, connectPermissions }, catalog);
  const paint = paintFor(stderr);
  stderr.write(
    `${paint.bold(profile.name)}: make a restricted ${mode} key by this link, with these rows and nothing else:\n`,
  );
  stderr.write(`  ${url}\n`);
  for (const row of dashboardRows(permissions, catalog)) {
    stderr.write(
      wrap(`${row.group} › ${row.label} › ${row.level}`, stderr, { indent: '    ', first: '  ☐ ' }),
    );
  }
  const tag =
    'Asked how the key will be used, choose "authorizing an AI agent": Stripe\'s Approvals bind such keys alone. Tick "Customize permissions" if it is offered, and see that these rows are set.';
  stderr.write(wrap(tag, stderr, { indent: '  ' }));
  return url;
}

async function openInBrowser(url: string, { stderr, env }: OpenSession): Promise<void> {
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

function checked(
  text: string,
  mode: 'test' | 'live',
  profile: string,
  old: KeyRecord | undefined,
): SecretKey {
  if (text.trim() === '') {
    throw new KeyauditError('KEY_MISSING', `No key was given for ${profile}.`, {
      hint: 'Make it by the link above, then paste it, or pipe it to standard input.',
      exitCode: EXIT.undetermined,
    });
  }
  const key = SecretKey.of(text, 'What was pasted');
  requireOfAccount(key, 'What was pasted');
  if (key.kind !== 'restricted') {
    throw new KeyauditError(
      'KEY_WRONG_KIND',
      `That is no restricted key but ${key.kind === 'unknown' ? 'something else' : `a ${key.kind} key`} (${key}).`,
      {
        hint: 'A restricted key begins with rk_test_ or rk_live_. Nothing was stored.',
      },
    );
  }
  if (old !== undefined && fingerprintOf(key) === old.fingerprint) {
    throw new KeyauditError('KEY_STILL_WORKS', 'That is the old key, which is to be replaced.', {
      hint: 'Make a new one by the link above. Nothing was stored.',
    });
  }
  if (key.mode === mode) return key;
  if (key.mode === 'test') {
    throw new KeyauditError('KEY_WRONG_MODE', 'That is a test key, but --live was said.', {
      hint: 'Make the key in live mode, or leave --live out. Nothing was stored.',
    });
  }
  throw new KeyauditError('LIVE_NOT_ALLOWED', 'That is a live key.', {
    hint: 'Say --live as well if you mean it, or make the key in test mode. Nothing was stored.',
  });
}
