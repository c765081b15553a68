import { describe, expect, it } from 'vitest';
import { answerJson, startFaultyServer, stripeError } from '../support/faulty-server.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

interface VerifyJson {
  results: { findings: { kind: string; message: string }[]; stopped?: { code: string; message: string } }[];
}

/** Answers about the account, the product, the mode or the kind of key, and the words that name the cause. */
const answers: readonly (readonly [
  name: string,
  status: number,
  message: string,
  code: string | undefined,
  cause: RegExp,
])[] = [
  ['a product that is not set up', 400, 'Your account is not set up to use Issuing.', undefined, /product/],
  ['a feature that is off', 400, 'Off.', 'feature_not_enabled', /product/],
  [
    'no sign-up for Connect',
    400,
    "You can only do so if you've signed up for Connect.",
    undefined,
    /Connect/,
  ],
  ['Accounts v2 off', 400, 'Blocked.', 'accounts_v2_access_blocked', /Accounts v2/],
  ['the other mode', 400, 'Only live keys can access this method', undefined, /mode/],
  ['a publishable key only', 400, 'No.', 'token_must_be_created_with_publishable_key', /publishable/],
  ['a refused account token', 403, 'Invalid token.', 'invalid_account_token', /token, not the key/],
  ['sensitive results', 403, 'To access sensitive verification results, configure …', undefined, /Identity/],
  ['an idle key', 403, 'This key is idle and has limited access.', undefined, /idle/],
  ['an application', 403, 'No.', 'more_permissions_required_for_application', /application/],
  ['a session', 401, 'Expired.', 'billing_meter_event_session_expired', /session/],
  ['the bare code forbidden', 403, 'Forbidden.', 'forbidden', /"forbidden"/],
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
  it.each(answers)('%s: undetermined, with the cause named', async (_, status, message, code, cause) => {
    const { exitCode, findings, stopped } = await verifyAgainst(status, stripeError(message, code));
    expect(exitCode).toBe(3);
    // The first dozen answers say the same, so the rest is not asked.
    expect(stopped?.code).toBe('SAME_ANSWERS');
    expect(stopped?.message).toMatch(cause);
    expect(findings.length).toBeGreaterThan(0);
    for (const finding of findings) {
      expect(finding.kind).toBe('inconclusive');
      expect(finding.message).toMatch(cause);
    }
  });

  it('a gate of Approvals shows that the permission is there', async () => {
    const body = stripeError(
      'This action requires approval before it can be completed.',
      'approval_required',
    );
    const { exitCode, findings } = await verifyAgainst(400, body);
    expect(exitCode).toBe(1);
    expect(findings.map(({ kind }) => kind)).toContain('over-grant');
  });
});
