import { KeyauditError } from '../core/error.ts';
import { type CallableKeyApi, KEY_API_CHOICES, type KeyApiChoice } from '../core/key-api.ts';
import type { CommandContext } from '../session/context.ts';
import { loadCatalog } from '../session/load-catalog.ts';
import type { KeyApi } from '../stripe/key-apis/key-api.ts';
import { createManagedKeyApi } from '../stripe/key-apis/managed-key-api.ts';
import { createRestrictedKeysApi } from '../stripe/key-apis/restricted-keys-api.ts';
import type { OpenTarget } from '../targets/open-target.ts';

export interface KeyApiOptions {
  readonly keyApi?: KeyApiChoice;
  /** `acct_…` that a platform acts on. */
  readonly account?: string;
}

/** The key API of a program; a Dashboard key is made by a person, and ended by one. */
export function openKeyApi(kind: CallableKeyApi, target: OpenTarget, { account }: KeyApiOptions): KeyApi {
  const options = {
    secretKey: target.secretKey(),
    apiBase: target.apiBase,
    ...(account === undefined ? {} : { context: account }),
  };
  return kind === 'managed'
    ? createManagedKeyApi(options)
    : createRestrictedKeysApi({ ...options, apiVersion: loadCatalog().apiVersion });
}

/** The API that can end keys. The secret key is needed at once, so that its absence is said first. */
export function openEndingApi(target: OpenTarget, options: KeyApiOptions): KeyApi {
  return openKeyApi('managed', target, options);
}

/** @throws KeyauditError `USAGE` */
export function checkedKeyApi(kind: string | undefined, context: CommandContext): KeyApiChoice {
  const wanted = kind ?? context.env.KEYAUDIT_KEY_API ?? 'auto';
  const known = KEY_API_CHOICES.find((one) => one === wanted);
  if (known !== undefined) return known;
  throw new KeyauditError('USAGE', `"${wanted}" is not a way to make keys.`, {
    hint: `Valid: ${KEY_API_CHOICES.join(', ')}.`,
  });
}
