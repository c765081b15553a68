import { EXIT, KeyauditError } from '../core/error.ts';
import { SecretKey } from '../core/secret-key.ts';
import type { KeyRecords } from './notes/key-records.ts';
import { DEFAULT_STORE } from './secrets/env-file-store.ts';
import { readKeyFrom } from './secrets/read-key-from.ts';
import { storedSecret } from './secrets/stored-secret.ts';

export interface FindKeyOptions {
  readonly profile: string;
  /** The profile's variable. */
  readonly variable: string;
  /** `--key-env`: take the key from this variable and nowhere else. */
  readonly keyEnv?: string;
  /** `--key-from exec:COMMAND`: take the key from a command's standard output. */
  readonly keyFrom?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether live keys are allowed. */
  readonly live: boolean;
  readonly records: KeyRecords;
  /** The target that is asked: of several places, that of the key which was made there comes first. */
  readonly here?: string;
}

export interface FoundKey {
  readonly key: SecretKey;
  readonly variable: string;
  /** `environment`, `command`, or the store. */
  readonly place: string;
}

/**
 * Finds the key of a profile: `--key-from` or `--key-env`, else the profile's variable in the
 * environment, else the store that its record names, else the default store.
 * @throws KeyauditError `KEY_MISSING` (exit 3), `ORGANISATION_KEY`, `KEY_WRONG_KIND` or `LIVE_NOT_ALLOWED` (exit 2)
 */
export async function findKey(options: FindKeyOptions): Promise<FoundKey> {
  const found = await lookUp(options);
  const { key, variable, place } = found;
  const where = place === 'environment' ? `The variable ${variable}` : `${variable} in ${place}`;
  requireRestricted(key, where, options.live);
  return found;
}

/**
 * Only restricted keys are probed, and live ones only when that is said.
 * @param where begins a sentence: `The variable STRIPE_KEY`
 * @throws KeyauditError `ORGANISATION_KEY`, `KEY_WRONG_KIND`, which names what it is, or `LIVE_NOT_ALLOWED`
 */
export function requireRestricted(key: SecretKey, where: string, live: boolean): void {
  requireOfAccount(key, where);
  if (key.kind !== 'restricted') {
    throw new KeyauditError(
      'KEY_WRONG_KIND',
      `${where} holds ${kindText[key.kind]} (${key}), not a restricted key.`,
      { hint: kindHint[key.kind] },
    );
  }
  requireLiveAllowed(key, `${where} holds`, live);
}

/**
 * What a key of an organisation can do depends on the account that each call names; its prefix is the same whatever it
 * may do (docs/observed.md#keys).
 * @param where begins a sentence: `The variable STRIPE_KEY`
 * @throws KeyauditError `ORGANISATION_KEY`
 */
export function requireOfAccount(key: SecretKey, where: string): void {
  if (!key.isOfOrganisation) return;
  throw new KeyauditError(
    'ORGANISATION_KEY',
    `${where} holds the key of an organisation (${key}), which reaches every account of it and acts for the one that a call names (Stripe-Context).`,
    {
      hint: 'Nothing was sent. An agent gets a restricted key of its one account: make it with "keyaudit provision PROFILE".',
    },
  );
}

/**
 * A key that counts as live is used only where `--live` was said.
 * @param where begins a sentence: `STRIPE_SECRET_KEY is`
 * @throws KeyauditError `LIVE_NOT_ALLOWED`
 */
export function requireLiveAllowed(key: SecretKey, where: string, live: boolean): void {
  if (live || !key.countsAsLive) return;
  throw new KeyauditError(
    'LIVE_NOT_ALLOWED',
    key.mode === 'live'
      ? `${where} a live key.`
      : `${where} a key whose form does not say whether it is live, so it counts as live.`,
    { hint: 'Say --live as well if you mean it, or use a test key.' },
  );
}

async function lookUp({
  profile,
  variable,
  keyEnv,
  keyFrom,
  env,
  cwd,
  records: book,
  here,
}: FindKeyOptions): Promise<FoundKey> {
  if (keyFrom !== undefined)
    return { key: await readKeyFrom(keyFrom, { cwd, env }), variable, place: 'command' };
  const name = keyEnv ?? variable;
  const given = env[name];
  if (given !== undefined && given.trim() !== '')
    return { key: SecretKey.ofVariable(name, given), variable: name, place: 'environment' };
  if (keyEnv !== undefined) {
    throw new KeyauditError('KEY_MISSING', `The variable ${keyEnv} is not set.`, {
      hint: `Set ${keyEnv} to the key, or leave --key-env out to use the stored one.`,
      exitCode: EXIT.undetermined,
    });
  }
  const records = (await book.all()).filter(
    (record) => record.profile === profile && record.variable === variable,
  );
  const alive = records.filter((record) => record.status === 'active');
  const places = new Set([
    alive.findLast((record) => record.target === here)?.place ?? alive.at(-1)?.place ?? DEFAULT_STORE,
    DEFAULT_STORE,
  ]);
  for (const place of places) {
    const { secret } = await storedSecret({ place, variable, profile }, { cwd, env });
    if (secret !== undefined && secret !== 'unreadable') return { key: secret, variable, place };
  }
  throw new KeyauditError(
    'KEY_MISSING',
    `There is no key for ${profile} yet: ${variable} is neither set nor in ${DEFAULT_STORE}.`,
    {
      // One that was made and is not to be found still works, and is not made again unasked.
      hint: `Make one with "keyaudit provision ${profile}${alive.length === 0 ? '' : ' --again'}".`,
      exitCode: EXIT.undetermined,
    },
  );
}

const kindText: Readonly<Record<SecretKey['kind'], string>> = {
  secret: 'a secret key',
  publishable: 'a publishable key',
  'webhook-secret': 'a webhook signing secret',
  restricted: 'a restricted key',
  unknown: 'something that is no Stripe key',
};

const kindHint: Readonly<Record<SecretKey['kind'], string>> = {
  secret:
    'A secret key can do everything and must never be given to an agent. Make a restricted one with "keyaudit provision PROFILE".',
  publishable: 'Publishable keys are for browsers. Make a restricted one with "keyaudit provision PROFILE".',
  'webhook-secret':
    'It verifies incoming webhooks and opens no API. Make a restricted key with "keyaudit provision PROFILE".',
  restricted: '',
  unknown: 'A restricted key begins with rk_test_ or rk_live_.',
};
