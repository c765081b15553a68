import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerJson, startFaultyServer, stripeError } from '../support/faulty-server.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

interface VerifyJson {
  results: {
    findings: { kind: string; message: string; observed: string; notes: string[]; connect: boolean }[];
    unasked?: { operation: string; reason: string }[];
    stopped?: { code: string; message: string };
  }[];
}

/** An answer, and the words that name its cause. */
type Row = readonly [name: string, status: number, error: object, cause: RegExp];
const said = (message: string, more: object = {}) => ({ type: 'invalid_request_error', message, ...more });
const coded = (code: string, message = 'No.') => said(message, { code });

/** Answers about the account, the product, the mode or the kind of key. */
const answers: readonly Row[] = [
  ['a product that is not set up', 400, said('Your account is not set up to use Issuing.'), /product/],
  [
    'the same beside a parameter',
    400,
    said('Your account is not set up to use Issuing.', { param: 'type' }),
    /product/,
  ],
  ['a feature that is off', 400, coded('feature_not_enabled'), /product/],
  ['a v2 type in place of a code', 400, { type: 'feature_not_enabled', message: 'Off.' }, /product/],
  ['a feature that no merchant of this kind has', 400, said('Feature unavailable for merchant.'), /product/],
  ['no sign-up for Connect', 400, said("You can only do so if you've signed up for Connect."), /Connect/],
  ['no sign-up for Treasury', 400, said("You haven't signed up for Treasury."), /product/],
  [
    'no platform of Accounts v2',
    400,
    { code: 'non_connect_platform_accounts_v2_access_blocked', message: 'No.' },
    /Connect/,
  ],
  ['Accounts v2 off', 400, coded('accounts_v2_access_blocked'), /Accounts v2/],
  ['live alone', 400, said('Only live keys can access this method'), /mode/],
  ['test mode alone', 400, said('This call can only be made in test mode.'), /mode/],
  ['a publishable key only', 400, coded('token_must_be_created_with_publishable_key'), /publishable/],
  ['a refused account token', 403, coded('invalid_account_token'), /token, not the key/],
  ['a refused person token', 403, coded('invalid_person_token'), /token, not the key/],
  ['sensitive results', 403, said('To access sensitive verification results, configure …'), /Identity/],
  ['an idle key', 403, said('This key is idle and has limited access.'), /idle/],
  [
    "an idle key in a refusal's first words",
    403,
    said("Permission denied. The provided key 'rk_test_…' has been idle; restore its permissions."),
    /idle/,
  ],
  ['an application', 403, coded('more_permissions_required_for_application'), /application/],
  ['a session', 401, coded('billing_meter_event_session_expired'), /session/],
  ['the bare code forbidden', 403, coded('forbidden', 'Forbidden.'), /"forbidden"/],
  ['an object that is controlled elsewhere', 400, coded('controlled_by_dashboard'), /controlled elsewhere/],
];

/** The same kinds in words that nobody has quoted yet: whatever does not speak of what was sent says nothing. */
const unheardOf: readonly Row[] = [
  ...[
    'Treasury has to be requested for this account before you can use it.',
    'Please contact sales to turn on Capital.',
    'Issuing is in private beta.',
    'Radar for Fraud Teams is required.',
    'This API is not generally available in your region.',
    'Your platform profile is incomplete; the field business_type is required of your account.',
    'Crypto onramp: unavailable.',
    'You do not have the capabilities for this.',
    'Nope.',
  ].map((message): Row => [message, 400, said(message), /something else than the parameters|product/]),
  ...['account_limited', 'beta_access_required', 'unsupported_country', 'terms_not_accepted'].map(
    (code): Row => [code, 400, coded(code, ''), /something else than the parameters/],
  ),
  ...[
    'Permission denied. The provided key may not be used from this network.',
    'This key cannot create payouts or transfers until it is restored.',
    'Access to money movement has been limited for this key.',
    'Forbidden.',
    'Your account cannot currently make this request.',
  ].map((message): Row => [message, 403, said(message), /none of Stripe's known|idle|product/]),
];

async function verifyAgainst(status: number, body: unknown) {
  const server = await startFaultyServer((_request, response) => answerJson(response, status, body));
  const cwd = await temporaryFolder();
  const args = ['verify', 'analytics', '--depth', 'checks', '--format', 'json', '--api-base', server.url];
  const run = await runCli(args, { cwd, env: { STRIPE_ANALYTICS_KEY: 'rk_test_abcdefgh12345678' } });
  const [result] = (JSON.parse(run.stdout) as VerifyJson).results;
  return { exitCode: run.exitCode, findings: result?.findings ?? [], stopped: result?.stopped };
}

describe('answers about something else than the key', { timeout: 60_000 }, () => {
  it.each([...answers, ...unheardOf])(
    '%s: undetermined, with the cause named',
    async (_, status, error, cause) => {
      const { exitCode, findings, stopped } = await verifyAgainst(status, { error });
      expect(exitCode).toBe(3);
      // The first dozen answers say the same, so the rest is not asked.
      expect(stopped?.code).toBe('SAME_ANSWERS');
      expect(stopped?.message).toMatch(cause);
      expect(findings.length).toBeGreaterThan(0);
      for (const finding of findings) {
        expect(finding.kind).toBe('inconclusive');
        expect(finding.message).toMatch(cause);
      }
    },
  );

  it('a gate of Approvals shows that the permission is there', async () => {
    const body = stripeError(
      'This action requires approval before it can be completed.',
      'approval_required',
    );
    const { exitCode, findings } = await verifyAgainst(400, body);
    expect(exitCode).toBe(1);
    expect(findings.map(({ kind }) => kind)).toContain('over-grant');
    for (const { observed, notes } of findings.filter(({ connect }) => !connect))
      expect([observed, notes[0]]).toEqual(['gated', expect.stringMatching(/holds the action/)]);
  });

  it.each(['Missing required param: amount.', "'limit: The maximum page limit is 100'"])(
    'a refusal of the parameters is none of them: %s',
    async (message) => {
      const { exitCode, findings } = await verifyAgainst(400, stripeError(message));
      expect(exitCode).toBe(1);
      expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(['over-grant']));
    },
  );

  it('a 401 of the meter event stream ends no run: it takes a session, and the key is alive', async () => {
    const refused = stripeError(
      "Permission denied. The provided key 'rk_…' does not have the required permissions for this endpoint on account 'acct_…'.",
      'more_permissions_required',
    );
    const noConnect = stripeError(
      'You passed a restricted API key with the Stripe-Account header, but the restricted API key does not have any Connect permissions.',
    );
    const server = await startFaultyServer((request, response) => {
      const url = request.url ?? '';
      if (request.headers['stripe-account'] !== undefined) answerJson(response, 403, noConnect);
      else if (url.startsWith('/v2/billing/meter_event_stream'))
        answerJson(response, 401, stripeError('Invalid session.'));
      else if (url.startsWith('/v1/products'))
        answerJson(response, 200, { object: 'list', data: [], has_more: false, url });
      else answerJson(response, 403, refused);
    });
    const cwd = await temporaryFolder();
    const profile = `name: meter
env: METER_KEY
permissions: { products: read }
checks: { forbid: [v2.billing.meterEventStream.create, customers.list] }
`;
    await writeFile(join(cwd, 'meter.yaml'), profile);
    const args = ['verify', './meter.yaml', '--depth', 'checks', '--format', 'json'];
    const run = await runCli(args, {
      cwd,
      env: { METER_KEY: 'rk_test_abcdefgh12345678', KEYAUDIT_API_BASE: server.url },
    });
    const [result] = (JSON.parse(run.stdout) as VerifyJson).results;
    expect(server.requests.map(({ url }) => url.split('?')[0])).toContain('/v2/billing/meter_event_stream');
    expect(result?.stopped).toBeUndefined();
    expect(result?.findings.map(({ kind, message }) => `${kind}: ${message}`)).toEqual([
      expect.stringMatching(/^inconclusive: The call takes the token of a session, not an API key\./),
    ]);
    expect(run.exitCode).toBe(3);
  });

  it('a live key is not asked for test helpers, those that the profile names included', async () => {
    const refused = stripeError(
      "The provided key 'rk_…' does not have the required permissions for this endpoint.",
    );
    const server = await startFaultyServer((_request, response) => answerJson(response, 403, refused));
    const cwd = await temporaryFolder();
    const profile = `name: helper
env: HELPER_KEY
permissions: { customers: read }
checks: { allow: [customers.list], forbid: [testHelpers.testClocks.create] }
`;
    await writeFile(join(cwd, 'helper.yaml'), profile);
    const args = ['verify', './helper.yaml', '--live', '--rate', '1000', '--format', 'json'];
    const env = {
      HELPER_KEY: 'rk_live_abcdefgh12345678',
      KEYAUDIT_TARGET: 'stripe',
      KEYAUDIT_API_BASE: server.url,
    };
    const run = await runCli([...args, '--depth', 'endpoints'], { cwd, env });
    const [result] = (JSON.parse(run.stdout) as VerifyJson).results;
    expect(server.requests.filter(({ url }) => url.includes('/test_helpers/'))).toEqual([]);
    expect(server.requests.length).toBeGreaterThan(500);
    const unasked = result?.unasked?.filter(({ reason }) => reason === 'test-mode') ?? [];
    expect(unasked.length).toBeGreaterThan(40);
    expect(result?.stopped).toMatchObject({
      code: 'PROBE_WITHHELD',
      message: expect.stringMatching(/testClocks\.create: not asked, since it exists in test mode alone/),
    });
    expect(run.exitCode).toBe(1);
  });
});

it.each(['"ok"', '5', 'true', 'null', '[]', '{"error":5}', '{"lastResponse":1}'])(
  'an answer that is %s is foreign: verify ends undetermined',
  async (body) => {
    const server = await startFaultyServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    );
    const cwd = await temporaryFolder();
    const env = { STRIPE_ANALYTICS_KEY: 'rk_test_plainlyFakePlainlyFake', KEYAUDIT_API_BASE: server.url };
    const run = await runCli(['verify', 'analytics', '--depth', 'checks'], { cwd, env });
    expect([run.exitCode, run.stderr]).toEqual([3, expect.not.stringContaining('bug in keyaudit')]);
  },
);
