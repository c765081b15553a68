import { describe, expect, it } from 'vitest';
import { readRefusal } from './refusal.ts';
import type { RefusalDialect } from './refusal-dialect.ts';

const denied =
  "The provided key 'rk_test_***abc' does not have the required permissions for this endpoint on account 'acct_1'.";
const edit = 'You can edit permissions at https://dashboard.stripe.com/acct_1/apikeys/mk_1/edit';

type Row = readonly [
  name: string,
  message: string,
  code: string | undefined,
  dialect: RefusalDialect | undefined,
  named?: readonly string[],
];

const rows: readonly Row[] = [
  [
    'a: one scope',
    `${denied} Having the 'rak_charge_read' permission would allow this request to continue.`,
    undefined,
    'a',
    ['charge_read'],
  ],
  [
    'a: broken over lines, with blanks around it',
    ` ${denied.replace(' on account', '\n  on account')}\nHaving the 'rak_charge_read' permission would allow this.\n`,
    undefined,
    'a',
    ['charge_read'],
  ],
  [
    'a: the same scope twice',
    `${denied} Having the 'rak_charge_read' permission would do; 'rak_charge_read' is missing.`,
    undefined,
    'a',
    ['charge_read'],
  ],
  [
    'b: a list of scopes',
    `${denied} Having the 'rak_credit_note_read', 'rak_invoice_read' permissions would allow this request to continue.`,
    undefined,
    'b',
    ['credit_note_read', 'invoice_read'],
  ],
  ['c: more permissions', `${denied} Having more permissions would allow this.`, undefined, 'c'],
  ['c: the first sentence alone', denied, undefined, 'c'],
  [
    'd: not available for restricted keys',
    `${denied} This is a restricted API key, but the required permissions are not available for use by restricted keys.`,
    undefined,
    'd',
  ],
  [
    'd: in the wording of 2026',
    "Permission denied. The provided key 'rk_test_***' is a restricted API key, but the required permissions are not available for use by restricted keys.",
    'more_permissions_required',
    'd',
  ],
  [
    'e: a label in quotes',
    `Permission denied. The provided key 'rk_test_***' lacks permissions. Enabling "Prices Read" ('plan_read') permissions on this key would allow this request to continue. ${edit}`,
    'more_permissions_required',
    'e',
    ['plan_read'],
  ],
  [
    'e: a label without quotes',
    `Permission denied. The provided key 'rk_test_***' lacks permissions. Enabling Prices Read ('plan_read') permissions on this key would allow this request to continue. ${edit}`,
    'more_permissions_required',
    'e',
    ['plan_read'],
  ],
  [
    'e: two permissions',
    `Permission denied. The provided key 'rk_test_***' lacks permissions. Enabling "Prices Read" ('plan_read') or "Products Read" ('product_read') permissions on this key would allow this.`,
    'more_permissions_required',
    'e',
    ['plan_read', 'product_read'],
  ],
  ['e: by its wording alone', "Permission denied. The provided key 'rk_test_***' lacks it.", undefined, 'e'],
  ['e: by its code alone', 'You may not.', 'more_permissions_required', 'e'],
  [
    'f: no Connect permissions',
    'You passed a restricted API key with the Stripe-Account header, but the restricted API key does not have any Connect permissions.',
    undefined,
    'f',
  ],
  [
    'g: no access to the account',
    "The provided key 'rk_test_***' does not have access to account 'acct_2' (or that account does not exist). Application access may have been revoked.",
    'account_invalid',
    'g',
  ],
  [
    'h: no platform',
    'Only Stripe Connect platforms can work with other accounts. If you specified a client_id parameter, make sure it is correct.',
    undefined,
    'h',
  ],
  [
    'i: an application',
    "This application does not have the required permissions for this endpoint on account 'acct_1'. Having the 'read_only' scope would allow this request to continue.",
    undefined,
    'i',
  ],
  ['guide: the bare code', 'Insufficient permissions.', 'insufficient_permissions', 'guide'],
  [
    'guide: a code that names a permission',
    "Needs 'charge_write'.",
    'insufficient_permissions',
    'guide',
    ['charge_write'],
  ],
  [
    'guide: the code does not outweigh a wording about accounts',
    "The provided key 'rk_test_***' does not have access to account 'acct_2' (or that account does not exist).",
    'insufficient_permissions',
    'g',
  ],
  ['a proxy', 'Permission denied. Contact your administrator.', undefined, undefined],
  ['a wall of a web host', 'Forbidden', undefined, undefined],
  ['an empty message', '', undefined, undefined],
  ['another code', 'Your account cannot currently make live charges.', 'account_closed', undefined],
  ['words that only resemble', 'You do not have the required permissions for this.', undefined, undefined],
];

describe('readRefusal', () => {
  const cases = rows.map(([name, message, code, dialect, named = []]) => ({
    name,
    message,
    code,
    dialect,
    named,
  }));
  it.each(cases)('$name', ({ message, code, dialect, named }) => {
    expect(readRefusal(message, code)).toEqual(dialect === undefined ? undefined : { dialect, named });
  });

  it('has a row for every dialect', () => {
    const dialects: readonly RefusalDialect[] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'guide'];
    expect(new Set(rows.map((row) => row[3]).filter((dialect) => dialect !== undefined))).toEqual(
      new Set(dialects),
    );
  });

  it('takes no key, account or address for a permission', () => {
    const message = `${denied.replace('rk_test_***abc', 'rk_test_51abc')} See 'https://example.com/x_read' and 'acct_read_1'.`;
    expect(readRefusal(message, undefined)).toEqual({ dialect: 'c', named: [] });
  });
});
