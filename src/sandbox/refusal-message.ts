import type { Catalog, PermissionName } from '../core/catalog/catalog.ts';
import type { RefusalDialect } from '../core/verdict/refusal-dialect.ts';
import { type Answer, errorAnswer } from '../http/answer.ts';
import { maskedKey } from './authenticate.ts';

export interface RefusalContext {
  readonly catalog: Catalog;
  /** The caller's key; messages show it masked. */
  readonly token: string;
  readonly account: string;
  /** Any one of these would do; empty where none is known. */
  readonly permissions: readonly PermissionName[];
}

/** HTTP 403 in one of Stripe's wordings. @see docs/observed.md */
export function refusal(dialect: RefusalDialect, context: RefusalContext): Answer {
  const { code, message } = wordings[dialect](context);
  return errorAnswer(403, { message, code });
}

type Wording = (context: RefusalContext) => { readonly message: string; readonly code?: string };

const lacking = ({ token, account }: RefusalContext) =>
  `The provided key '${maskedKey(token)}' does not have the required permissions for this endpoint on account '${account}'.`;

const wordings: Readonly<Record<RefusalDialect, Wording>> = {
  a: (context) => ({ message: `${lacking(context)} ${scopes(context, 1)}` }),
  b: (context) => ({ message: `${lacking(context)} ${scopes(context, Number.POSITIVE_INFINITY)}` }),
  c: (context) => ({ message: `${lacking(context)} ${MORE}` }),
  d: (context) => ({
    message: `${lacking(context)} This is a restricted API key, but the required permissions are not available for use by restricted keys.`,
  }),
  e: (context) => {
    const [permission] = context.permissions.map((name) => context.catalog.permission(name));
    const enabling =
      permission === undefined
        ? ''
        : ` Enabling "${permission.label} ${permission.level === 'read' ? 'Read' : 'Write'}" ('${permission.name}') permissions on this key would allow this request to continue.`;
    return {
      code: 'more_permissions_required',
      message: `Permission denied. ${lacking(context)}${enabling} You can edit permissions at https://dashboard.stripe.com/apikeys`,
    };
  },
  f: () => ({
    message:
      'You passed a restricted API key with the Stripe-Account header, but the restricted API key does not have any Connect permissions.',
  }),
  g: ({ token, account }) => ({
    code: 'account_invalid',
    message: `The provided key '${maskedKey(token)}' does not have access to account '${account}' (or that account does not exist). Application access may have been revoked.`,
  }),
  h: () => ({
    message: 'Only Stripe Connect platforms can work with other accounts.',
  }),
  i: () => ({
    message:
      "This application does not have the required permissions for this endpoint. Having the 'read_only' scope would allow this request to continue.",
  }),
  guide: () => ({
    code: 'insufficient_permissions',
    message: 'The API key does not have permission to perform this request.',
  }),
};

const MORE = 'Having more permissions would allow this request to continue.';

function scopes({ permissions, catalog }: RefusalContext, most: number): string {
  const names = permissions
    .slice(0, most)
    .map((name) => `'${catalog.permission(name)?.scope ?? `rak_${name}`}'`);
  if (names.length === 0) return MORE;
  return `Having the ${names.join(', ')} permission${names.length > 1 ? 's' : ''} would allow this request to continue.`;
}
