import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Scene, scene } from '../support/scene.ts';

const ANALYTICS = ['balance_read', 'charge_read', 'customer_read', 'invoice_read', 'subscription_read'];
const DAY_MS = 86_400_000;
/** Nobody whose keys no program makes has a use for a secret key here. */
const NONE = { STRIPE_SECRET_KEY: '' };

const flat = (text: string) => text.replace(/\s+/g, ' ');

async function byHand(): Promise<Scene & { readonly old: { id: string; token: string } }> {
  const here = await scene();
  const old = await here.sandbox.makeKey(ANALYTICS);
  const made = await here.run(['provision', 'analytics', '--key-api', 'dashboard'], {
    input: `${old.token}\n`,
    env: NONE,
  });
  expect(made).toMatchObject({ exitCode: 0 });
  return { ...here, old };
}

describe('a key of the Dashboard, without a terminal and without a secret key', () => {
  it('rotate names the one thing to do: exit 3, and 1 past the age of the policy', async () => {
    const { run, cwd, stored, old } = await byHand();
    const young = await run(['rotate', 'analytics'], { env: NONE });
    expect(young.exitCode).toBe(3);
    expect(flat(young.stdout)).toMatch(
      /to be rotated by hand .*Run "keyaudit rotate analytics --api-base \S+" on a terminal/,
    );
    expect((await run(['rotate', '--all', '--older-than', '90d'], { env: NONE })).exitCode).toBe(0);
    await writeFile(join(cwd, 'keyaudit.policy.yaml'), 'require:\n  maxKeyAge: 90d\n');
    expect((await run(['rotate', 'analytics'], { env: NONE })).exitCode).toBe(3);
    const aged = { env: NONE, laterMs: 100 * DAY_MS };
    const late = await run(['rotate', 'analytics', '--format', 'json'], aged);
    expect(late.exitCode).toBe(1);
    expect(JSON.parse(late.stdout)).toMatchObject({
      ok: false,
      rotations: [{ outcome: 'by-hand', tooOld: true, message: expect.stringContaining('100 days old') }],
    });
    const planned = await run(['rotate', 'analytics', '--dry-run'], { env: NONE });
    expect(planned.exitCode).toBe(0);
    expect(flat(planned.stdout)).toContain('ask for a new key by hand');
    expect(await stored('STRIPE_ANALYTICS_KEY')).toBe(old.token);
  });

  it('revoke gives the link, watches until the key is dead, and forgets its secret', async () => {
    const { run, sandbox, stored, old } = await byHand();
    const unwatched = await run(['revoke', 'analytics', '--no-wait'], { env: NONE });
    expect(unwatched.exitCode).toBe(3);
    expect(unwatched.stderr).toContain('https://dashboard.stripe.com/test/apikeys');
    const inTime = await run(['revoke', 'analytics', '--timeout', '1s'], { env: NONE });
    expect(inTime.exitCode).toBe(3);
    expect(flat(inTime.stdout)).toContain('It still answered when the time was up');
    expect(await stored('STRIPE_ANALYTICS_KEY')).toBe(old.token);
    const watching = run(['revoke', 'analytics', '--format', 'json'], { env: NONE });
    await sandbox.expireKey(old.id);
    const revoked = await watching;
    expect(revoked.exitCode).toBe(0);
    expect(JSON.parse(revoked.stdout)).toMatchObject({
      keys: [{ profile: 'analytics', deadMs: expect.any(Number), byHand: { name: 'analytics' } }],
    });
    expect(await stored('STRIPE_ANALYTICS_KEY')).toBeUndefined();
    expect((await run(['revoke', 'analytics'], { env: NONE })).stdout).toContain('was gone already');
  });

  it('exec --stored lends it without the secret key, leaves a line, and it works on', async () => {
    const { run, statusOf, old, sandbox } = await byHand();
    const script = 'echo "[$STRIPE_SECRET_KEY] $STRIPE_ANALYTICS_KEY" | wc -c; exit 7';
    const lent = await run([
      'exec',
      'analytics',
      '--stored',
      '--target',
      'sandbox',
      '--api-base',
      sandbox.url,
      '--',
      'sh',
      '-c',
      script,
    ]);
    expect(lent).toMatchObject({ exitCode: 7, stdout: `${old.token.length + 4}\n` });
    expect(flat(lent.stderr)).toMatch(
      /dashboard:\w+ of analytics lent to sh for [\d.]+ s \(exit code 7\); as stored, so it works on/,
    );
    expect(await statusOf(old.token)).toBe(200);
    const mixed = await run(['exec', 'analytics', '--stored', '--ttl', '1h', '--', 'true']);
    expect(mixed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--stored makes none') });
  });
});

describe('the key of an organisation', () => {
  it.each([
    ['provision', 'analytics'],
    ['rotate', 'analytics'],
  ])('is named and refused by %s until an account is named', async (...args) => {
    const { run, active } = await scene();
    if (args[0] === 'rotate') await run(['provision', 'analytics']);
    const before = await active();
    const env = { STRIPE_SECRET_KEY: 'sk_org_test_plainlyFake0000' };
    const refused = await run(args, { env });
    expect(refused.exitCode).toBe(2);
    expect(flat(refused.stderr)).toMatch(
      /key of an organisation \(sk_org_test_\[redacted\]\).*--account acct_/,
    );
    expect(refused.stderr).not.toContain('plainlyFake');
    expect(await active()).toEqual(before);
  });
});
