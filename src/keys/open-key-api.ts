import { KeyauditError } from '../core/error.ts';
import { type CallableKeyApi, KEY_API_CHOICES, type KeyApiChoice } from '../core/key-api.ts';
import type { SecretKey } from '../core/secret-key.ts';
import type { OpenSession } from '../session/session.ts';
import type { KeyApi } from '../stripe/key-apis/key-api.ts';
import { createManagedKeyApi } from '../stripe/key-apis/managed-key-api.ts';
import { createRestrictedKeysApi } from '../stripe/key-apis/restricted-keys-api.ts';

export interface KeyApiOptions {
  readonly keyApi?: KeyApiChoice;
  /** `acct_…` that a platform acts on. */
  readonly account?: string;
}

/** The key APIs that a program can call; a further one is a file of its own and a line here. */
const keyApis = {
  managed: createManagedKeyApi,
  restricted_keys: createRestrictedKeysApi,
} satisfies Record<CallableKeyApi, (options: Parameters<typeof createRestrictedKeysApi>[0]) => KeyApi>;

/** The key API of a program; a Dashboard key is made by a person, and ended by one. */
export function openKeyApi(
  kind: CallableKeyApi,
  { account }: KeyApiOptions,
  { target, catalog }: Pick<OpenSession, 'target' | 'catalog'>,
): KeyApi {
  const secretKey = target.secretKey();
  requireAccountOfOrganisation(secretKey, account);
  const options = {
    secretKey,
    apiBase: target.apiBase,
    context: account,
  };
  return keyApis[kind]({ ...options, apiVersion: catalog.apiVersion });
}

/** @throws KeyauditError `ORGANISATION_KEY` where an organisation's key is to act and no account was named */
function requireAccountOfOrganisation(secretKey: SecretKey, account: string | undefined): void {
  if (!secretKey.isOfOrganisation || account !== undefined) return;
  throw new KeyauditError(
    'ORGANISATION_KEY',
    `STRIPE_SECRET_KEY holds the key of an organisation (${secretKey}), which acts for no account by itself.`,
    {
      hint: 'Nothing was sent. Name the account with --account acct_…, which goes along as Stripe-Context, or use the secret key of that account.',
    },
  );
}

/** The API that can end keys. The secret key is needed at once, so that its absence is said first. */
export function openEndingApi(
  options: KeyApiOptions,
  session: Pick<OpenSession, 'target' | 'catalog'>,
): KeyApi {
  return openKeyApi('managed', options, session);
}

/** @throws KeyauditError `USAGE` */
export function checkedKeyApi(kind: string | undefined, { env }: Pick<OpenSession, 'env'>): KeyApiChoice {
  const wanted = kind ?? env.KEYAUDIT_KEY_API ?? 'auto';
  const known = KEY_API_CHOICES.find((one) => one === wanted);
  if (known !== undefined) return known;
  throw new KeyauditError('USAGE', `"${wanted}" is not a way to make keys.`, {
    hint: `Valid: ${KEY_API_CHOICES.join(', ')}.`,
  });
}
