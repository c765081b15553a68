import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const profile = `name: agent
permissions:
  charges: read
  products: read
connect_permissions:
  charges: read
checks:
  allow: [charges.list]
  forbid: [payouts.create]
widening: strict
accept:
  - operations: [refunds.list, refunds.retrieve, radar.earlyFraudWarnings.list, radar.earlyFraudWarnings.retrieve]
    reason: one permission
`;

/** `direction subject name` of each change between two profiles. */
async function changes(before: string, after: string): Promise<readonly string[]> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'a.yaml'), before);
  await writeFile(join(cwd, 'b.yaml'), after);
  const run = await runCli(['diff', './a.yaml', './b.yaml', '--format', 'json'], { cwd });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  const { schema, profiles } = JSON.parse(run.stdout);
  expect(schema).toBe('keyaudit.diff/1');
  return profiles[0].changes.map(
    (change: Record<string, string>) => `${change.direction} ${change.subject} ${change.name}`,
  );
}

describe('keyaudit diff of profiles by what they reach', () => {
  const both = (level: string, other: string) => `name: agent
permissions:
  ${level}: write
accept:
  - { operations: [${other}.create], reason: Stripe has one permission for both }
`;

  it('takes another name for the same permission for nothing wider', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.yaml'), both('refunds', 'charges'));
    await writeFile(join(cwd, 'b.yaml'), both('charges', 'refunds'));
    const run = await runCli(['diff', './a.yaml', './b.yaml'], { cwd });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('refunds.create is no longer asked for, and still comes with charge_write');
    expect(run.stdout).not.toMatch(/now grants|no longer grants/);
  });
});

describe('keyaudit diff of profiles', () => {
  const rows: readonly [name: string, after: string, expected: readonly string[]][] = [
    ['nothing', profile.replace('one permission', 'another reason'), []],
    [
      'a level higher',
      profile.replace('products: read', 'products: write'),
      ['wider permission product_write'],
    ],
    ['a resource less', profile.replace('  products: read\n', ''), ['narrower permission product_read']],
    [
      'connect permissions',
      profile.replace('connect_permissions:\n  charges: read', 'connect_permissions:\n  charges: write'),
      [
        'wider connect-permission charge_write',
        'wider widening refunds.create with Stripe-Account',
        'wider widening refunds.update with Stripe-Account',
        'wider widening refunds.cancel with Stripe-Account',
        'wider widening testHelpers.refunds.expire with Stripe-Account',
      ],
    ],
    [
      'a forbid less and one more',
      profile.replace('payouts.create', 'topups.create'),
      ['wider check payouts.create', 'narrower check topups.create'],
    ],
    ['a guard less', profile.replace('widening: strict\n', ''), ['wider check widening: strict']],
    [
      'what must work',
      profile.replace('[charges.list]', '[charges.list, products.list]'),
      ['changed check products.list'],
    ],
    [
      'a widening where it was asked for before',
      profile.replace('  products: read\n', '').replace('permissions:\n', 'permissions:\n  refunds: read\n'),
      [
        'narrower permission product_read',
        'changed widening refunds.list',
        'changed widening refunds.retrieve',
      ],
    ],
  ];
  it.each(rows)('%s', async (_name, after, expected) => {
    expect(await changes(profile, after)).toEqual(expected);
  });

  it('shows the other way round what got narrower as wider', async () => {
    const wider = profile.replace('products: read', 'products: write');
    expect(await changes(wider, profile)).toEqual(['narrower permission product_write']);
  });

  it('gates with --fail-on-widening alone', async () => {
    const cwd = await temporaryFolder();
    const diff = (...args: string[]) => runCli(['diff', ...args], { cwd });
    expect((await diff('analytics', 'refund-agent')).exitCode).toBe(0);
    const gated = await diff('analytics', 'refund-agent', '--fail-on-widening');
    expect(gated.exitCode).toBe(1);
    expect(gated.stdout).toMatch(/^analytics → refund-agent\n {2}\+ It now grants charge_write/);
    expect((await diff('analytics', 'analytics', '--fail-on-widening')).exitCode).toBe(0);
  });
});

describe('keyaudit diff of lock files and reports', () => {
  it('compares lock files, reports and profiles with one another', async () => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(cwd);
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles', 'agent.yaml'), profile);
    const exact = await sandbox.makeKey(['charge_read', 'product_read'], ['charge_read']);
    const broader = await sandbox.makeKey(['charge_read', 'product_read', 'payout_write'], ['charge_read']);
    const keyaudit = (token: string, ...args: string[]) =>
      runCli([...args, '--api-base', sandbox.url], { cwd, env: { STRIPE_AGENT_KEY: token } });
    expect((await keyaudit(exact.token, 'lock', '--all')).exitCode).toBe(0);
    const report = (token: string, file: string, ...args: string[]) =>
      keyaudit(token, 'verify', '--all', '--format', 'json', '--output', file, ...args);
    await report(exact.token, 'exact.json');
    await report(broader.token, 'broader.json');
    await report(broader.token, 'broader-verbose.json', '--verbose');
    await report(exact.token, 'checks.json', '--verbose', '--depth', 'checks');
    const lock = await readFile(join(cwd, 'keyaudit.lock.yaml'), 'utf8');
    await writeFile(
      join(cwd, 'two.yaml'),
      `${lock}${lock.slice(lock.indexOf('  agent:')).replace('agent', 'other')}`,
    );

    const diff = async (before: string, after: string) => {
      const run = await runCli(['diff', before, after, '--fail-on-widening'], { cwd });
      return [run.exitCode, run.stdout.trim().split('\n').at(-1)] as const;
    };
    const same = [0, '1 profile compared: nothing differs.'];
    expect(await diff('keyaudit.lock.yaml', 'exact.json')).toEqual(same);
    expect(await diff('keyaudit.lock.yaml', 'agent')).toEqual(same);
    expect(await diff('exact.json', 'exact.json')).toEqual(same);
    expect(await diff('exact.json', 'broader.json')).toEqual([1, '1 profile compared: 3 wider.']);
    expect(await diff('exact.json', 'broader-verbose.json')).toEqual([1, '1 profile compared: 3 wider.']);
    expect(await diff('agent', 'broader.json')).toEqual([1, '1 profile compared: 3 wider.']);
    expect((await diff('keyaudit.lock.yaml', 'broader-verbose.json'))[0]).toBe(1);
    expect((await diff('keyaudit.lock.yaml', 'checks.json'))[1]).toMatch(
      /compared: \d+ no longer verified\.$/,
    );
    expect(await diff('keyaudit.lock.yaml', 'two.yaml')).toEqual([1, '2 profiles compared: 1 wider.']);
    expect(await diff('two.yaml', 'keyaudit.lock.yaml')).toEqual([0, '2 profiles compared: 1 narrower.']);
    expect(await diff('two.yaml', 'agent')).toEqual(same);
  });

  it.each<[string, string, RegExp]>([
    [
      'no report',
      '{"schema":"keyaudit.verify/2","results":[]}',
      /x is no report of this keyaudit \(schema: /,
    ],
    ['broken JSON', '{', /x is no report of this keyaudit/],
    ['a broken lock file', 'schema: keyaudit.lock/1\nprofiles: 1\n', /x:2:11 profiles must be a map\./],
    ['a lock file without this profile', 'schema: keyaudit.lock/1\nprofiles: {}\n', /no profile in common/],
  ])('refuses %s', async (_name, text, message) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'x'), text);
    const run = await runCli(['diff', 'x', 'analytics'], { cwd });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toMatch(message);
  });
});

describe('keyaudit diff of git revisions', () => {
  /** A repository with one profile, committed as it stands on the branch `main`. */
  async function repository(files: Readonly<Record<string, string>>) {
    const cwd = await temporaryFolder();
    const git = (...args: readonly string[]) =>
      execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd });
    const write = async (all: Readonly<Record<string, string>>) => {
      for (const [file, text] of Object.entries(all)) {
        await mkdir(dirname(join(cwd, file)), { recursive: true });
        await writeFile(join(cwd, file), text);
      }
    };
    await write(files);
    await git('init', '-q', '-b', 'main');
    await git('add', '-A');
    await git('commit', '-qm', 'first');
    return { cwd, git, write };
  }

  const diffJson = async (cwd: string, ...args: readonly string[]) => {
    const run = await runCli(['diff', ...args, '--format', 'json'], { cwd });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    return JSON.parse(run.stdout);
  };

  it('compares the working folder, and two revisions, by name', async () => {
    const { cwd, git, write } = await repository({
      'profiles/agent.yaml': profile,
      'profiles/old.yaml': 'name: old\npermissions:\n  charges: read\n',
      'profiles/base/shared.yaml': 'name: shared\npermissions:\n  products: read\n',
      'profiles/child.yaml': 'name: child\nextends: ./base/shared.yaml\npermissions:\n  charges: read\n',
    });
    await write({
      'profiles/agent.yaml': profile.replace('products: read', 'products: write'),
      'profiles/new.yaml': 'name: new\npermissions:\n  charges: read\n',
    });
    await git('rm', '-q', 'profiles/old.yaml');
    const { before, after, wider, narrower, profiles } = await diffJson(cwd, 'main');
    expect([before, after]).toEqual([
      { name: 'main', kind: 'revision' },
      { name: 'the working folder', kind: 'profiles' },
    ]);
    expect([wider, narrower]).toEqual([2, 1]);
    expect(
      profiles.map((one: { profile: string; changes: { message: string }[] }) => [
        one.profile,
        one.changes.length,
      ]),
    ).toEqual([
      ['agent', 1],
      ['child', 0],
      ['new', 1],
      ['old', 1],
    ]);
    const failing = await runCli(['diff', 'main', '--fail-on-widening', '--format', 'markdown'], { cwd });
    expect(failing.exitCode).toBe(1);
    expect(failing.stdout).toMatch(/^## keyaudit diff: ⚠️ 2 wider, 1 narrower\n/);
    await git('add', '-A');
    await git('commit', '-qm', 'second');
    expect((await diffJson(cwd, 'HEAD~1', 'HEAD')).wider).toBe(2);
    expect((await diffJson(cwd, 'HEAD', 'profiles/agent.yaml')).wider).toBe(0);
    expect((await runCli(['diff', 'main~7'], { cwd })).exitCode).toBe(2);
  });

  it('takes a profile before a branch of its name, and the branch where that is said', async () => {
    const { cwd, git, write } = await repository({ 'profiles/agent.yaml': profile });
    await git('branch', 'agent');
    await write({ 'profiles/agent.yaml': profile.replace('products: read', 'products: write') });
    expect((await diffJson(cwd, 'agent', 'agent')).before.kind).toBe('profile');
    expect((await diffJson(cwd, 'git:agent')).before.kind).toBe('revision');
    expect((await diffJson(cwd, 'git:agent')).wider).toBe(1);
  });

  it('runs nothing that the repository names, and writes nothing outside of its copy', async () => {
    const { cwd, git } = await repository({ 'profiles/agent.yaml': profile });
    await git('config', 'core.fsmonitor', 'touch pwned');
    await git('config', 'diff.external', 'touch pwned');
    await git('config', 'core.pager', 'touch pwned');
    await diffJson(cwd, 'main');
    for (const option of ['--output=pwned', '-h', '--help']) {
      await runCli(['diff', '--', option], { cwd });
      await runCli(['diff', `git:${option}`], { cwd });
    }
    expect(existsSync(join(cwd, 'pwned'))).toBe(false);
  });

  it('takes a shorter profile with the same reach for neither wider nor narrower', async () => {
    const longer = 'name: agent\npermissions:\n  charges: write\n  refunds: write\n';
    const shorter =
      'name: agent\npermissions:\n  charges: write\naccept:\n  - operations: [refunds.create]\n    reason: one\n';
    const there = await changes(longer, shorter);
    expect(there.length).toBeGreaterThan(0);
    expect(there.filter((change) => !change.startsWith('changed '))).toEqual([]);
    expect((await changes(shorter, longer)).filter((change) => !change.startsWith('changed '))).toEqual([]);
  });
});
