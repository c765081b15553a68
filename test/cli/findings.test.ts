import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const profile = (name: string) => `name: ${name}\npermissions:\n  products: read\n`;

/** A profile `mine` in a folder, with a key for it that holds these permissions. */
async function holding(permissions: readonly string[], name = 'mine') {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, `profiles/${name}.yaml`), profile(name));
  const sandbox = await startSandboxServer(cwd);
  const { token } = await sandbox.makeKey([...permissions]);
  const run = (...args: readonly string[]) =>
    runCli([...args, '--api-base', sandbox.url], {
      cwd,
      env: { [`STRIPE_${name.toUpperCase()}_KEY`]: token },
    });
  return { cwd, run };
}

describe('verify --fail-on', () => {
  it.each<[held: readonly string[], failOn: string | undefined, exitCode: number]>([
    [['product_read'], 'self-widening', 0],
    [['product_read', 'payout_write'], undefined, 1],
    [['product_read', 'payout_write'], 'money-out', 1],
    [['product_read', 'payout_write'], 'self-widening', 0],
    [['product_read', 'customer_read'], 'money-in', 0],
    [['product_read', 'customer_read'], 'personal-data', 1],
    [['product_read', 'customer_read'], 'other', 1],
    [['product_read', 'customer_read', 'webhook_write'], 'money-out', 1],
    // Less than the profile says is no matter of risk.
    [['customer_read'], 'self-widening', 1],
  ])('%j with %s: exit code %i', async (held, failOn, exitCode) => {
    const { run } = await holding(held);
    const more = failOn === undefined ? [] : ['--fail-on', failOn];
    const verified = await run('verify', 'mine', ...more, '--format', 'json');
    expect(verified.exitCode).toBe(exitCode);
    const { ok, results } = JSON.parse(verified.stdout);
    expect(ok).toBe(exitCode === 0);
    // What passes is shown all the same.
    const found = results[0].permissionFindings.filter(
      ({ weight }: { weight: string }) => weight === 'fails',
    );
    expect(found.length > 0).toBe(held.length > 1 || held[0] !== 'product_read');
  });

  it('never makes a yes of what was not determined', async () => {
    const { cwd } = await holding(['product_read']);
    const run = await runCli(['verify', 'mine', '--fail-on', 'self-widening'], { cwd });
    expect(run.exitCode).toBe(3);
    expect((await runCli(['verify', 'mine', '--fail-on', 'money'], { cwd })).exitCode).toBe(2);
  });
});

describe('a key that is not the one', () => {
  it('is called by the profile that it was made for, with what mends that', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles/mine.yaml'), profile('mine').replace('products', 'coupons'));
    await writeFile(join(cwd, 'profiles/other.yaml'), profile('other'));
    await runCli(['provision', 'mine', '--quiet'], { cwd });
    const secret = /^STRIPE_MINE_KEY=(.*)$/m.exec(
      await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8'),
    )?.[1];
    const run = await runCli(['verify', 'other'], { cwd, env: { STRIPE_OTHER_KEY: secret ?? '' } });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain("  This is mine's key.\n");
    expect(run.stdout).toContain('keyaudit provision other && unset STRIPE_OTHER_KEY\n');
  });

  it.each<[what: string, env: Record<string, string>, reason: RegExp]>([
    ['dead', { STRIPE_MINE_KEY: `rk_test_${'0'.repeat(24)}` }, /Stopped: Stripe does not know this key/],
    ['missing', {}, /Stopped: There is no key for mine yet/],
  ])('prints its reason and nothing else: %s', async (_what, env, reason) => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles/mine.yaml'), 'name: mine\npermissions:\n  charges: write\n');
    const run = await runCli(['verify', 'mine'], { cwd, env });
    expect(run.exitCode).toBe(3);
    expect(run.stdout.replace(/\s+/g, ' ')).toMatch(reason);
    expect(run.stdout).not.toMatch(/GRANT|INCONCLUSIVE|Also readable|Cannot be verified|Levels/);
    expect(run.stdout).toContain('keyaudit provision mine');
  });
});

describe('verify --history', () => {
  it('adds a line for each run, passes over what is none, and shows the last in HTML', async () => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'analytics', '--quiet'], { cwd });
    await writeFile(join(cwd, 'h.jsonl'), '{"schema":"keyaudit.history/1","results":[<script>\nnonsense');
    const args = ['verify', 'analytics', '--history', 'h.jsonl', '--report', 'html=r.html'];
    expect((await runCli(args, { cwd })).exitCode).toBe(0);
    expect((await runCli(args, { cwd, laterMs: 86_400_000 })).exitCode).toBe(0);
    const lines = (await readFile(join(cwd, 'h.jsonl'), 'utf8')).split('\n');
    expect(lines).toHaveLength(5);
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({
      schema: 'keyaudit.history/1',
      ok: true,
      target: 'sandbox',
      results: [{ profile: 'analytics', ok: true, overGrants: 0 }],
    });
    expect(await readFile(join(cwd, 'r.html'), 'utf8')).toMatch(/aria-label="2 of 2 runs passed since/);
    expect((await runCli(['verify', 'analytics', '--history', 'no/h.jsonl'], { cwd })).exitCode).toBe(2);
  });
});

describe('profiles accept', () => {
  it('writes what comes along, once, into a profile of one’s own', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    const text = 'name: mine # comment\npermissions:\n  refunds: write\n';
    await writeFile(join(cwd, 'profiles/mine.yaml'), text);
    const accept = (...args: readonly string[]) => runCli(['profiles', 'accept', ...args], { cwd });
    const reason = ['--reason', 'Stripe grants it only together with charge_write'];
    const done = await accept('mine', 'charges.create', ...reason, '--until', '2099-06-30');
    expect(done).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await readFile(join(cwd, 'profiles/mine.yaml'), 'utf8')).toBe(
      `${text}accept:\n  - operations: [charges.create]\n    reason: Stripe grants it only together with charge_write\n    until: 2099-06-30\n`,
    );
    for (const [args, words] of [
      [['mine', 'charges.create', ...reason], /nothing that mine brings along and does not accept yet/],
      [['mine', 'payouts.create', ...reason], /nothing that mine brings along/],
      [['mine', 'charges.update', '--reason', ' '], /needs a reason/],
      [['mine', 'charges.update', ...reason, '--until', 'soon'], /"soon" is no day/],
      [['analytics', 'charges.update', ...reason], /ships with keyaudit and is not written to/],
      [['mine', 'charges.update'], /--reason/],
    ] as const) {
      const refused = await accept(...args);
      expect(refused.exitCode).toBe(2);
      expect(refused.stderr.replace(/\s+/g, ' ')).toMatch(words);
    }
  });
});

describe('keys list', () => {
  it('is a table with age, end and last proof', async () => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'analytics', '--ttl', '90d', '--quiet'], { cwd });
    await runCli(['provision', 'refund-agent', '--quiet'], { cwd });
    await runCli(['verify', 'analytics', '--quiet'], { cwd });
    const run = await runCli(['keys', 'list'], { cwd, laterMs: 12 * 86_400_000 });
    const [head = '', ...rows] = run.stdout.split('\n');
    expect(head).toMatch(/^profile +key +state +mode +target +account +place +age +expires +proved$/);
    expect(rows[0]).toMatch(
      /^analytics +mk_\w+ +active +test +sandbox +acct_\w+ +\.keyaudit\/keys\.env +12 days +\d{4}-\d\d-\d\d \(78 days\) +\d{4}-\d\d-\d\d$/,
    );
    expect(rows[1]).toMatch(/^refund-agent .* 12 days +never +never$/);
    expect(run.stdout).toContain('sha256:');
  });

  it('--active leaves out what is over; prune forgets that, and never a key in use', async () => {
    const cwd = await temporaryFolder();
    const later = { cwd, laterMs: 12 * 86_400_000 };
    await runCli(['provision', 'analytics', '--ttl', '5d', '--quiet'], { cwd });
    await runCli(['provision', 'refund-agent', '--quiet'], { cwd });
    const listed = async (options: readonly string[]) =>
      (
        JSON.parse((await runCli(['keys', 'list', '--format', 'json', ...options], later)).stdout) as {
          keys: { id: string; profile: string }[];
        }
      ).keys;
    const [over, used] = await listed([]);
    expect((await listed(['--active'])).map(({ profile }) => profile)).toEqual(['refund-agent']);
    const pruned = await runCli(['keys', 'prune', String(used?.id), '--format', 'json'], later);
    expect(pruned.exitCode).toBe(2);
    expect(JSON.parse(pruned.stdout)).toMatchObject({ dropped: [over?.id], kept: [{ id: used?.id }] });
    expect((await listed([])).map(({ profile }) => profile)).toEqual(['refund-agent']);
    expect((await runCli(['keys', 'prune', 'mk_unknown'], { cwd })).exitCode).toBe(2);
  });
});
