import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { editRecords } from '../support/edit-records.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

async function folder(policy: string): Promise<string> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, 'profiles', 'agent.yaml'), 'name: agent\npermissions:\n  products: write\n');
  await writeFile(join(cwd, 'keyaudit.policy.yaml'), policy);
  return cwd;
}

const DENY = 'deny:\n  permissions: [product_write]\n';

describe('keyaudit.policy.yaml', () => {
  it.each<[string, readonly string[], 'stdout' | 'stderr']>([
    ['profiles lint', ['profiles', 'lint', 'agent'], 'stdout'],
    ['plan', ['plan', 'agent'], 'stderr'],
    ['provision', ['provision', 'agent'], 'stderr'],
    ['verify', ['verify', 'agent'], 'stderr'],
    ['lock', ['lock', 'agent'], 'stderr'],
  ])('%s refuses a profile that breaks it, with both lines', async (name, args, stream) => {
    const cwd = await folder(DENY);
    const run = await runCli(args, { cwd });
    expect(run.exitCode).toBe(2);
    expect(run[stream]).toContain(
      'profiles/agent.yaml:3:3 agent would hold product_write, which the policy denies.\n',
    );
    expect(run[stream]).toContain('→ keyaudit.policy.yaml:2 denies it.');
    // What it comes to is shown beside.
    if (name === 'plan') expect(run.stdout).toMatch(/Permissions to grant[\s\S]*product_write/);
    await writeFile(join(cwd, 'keyaudit.policy.yaml'), 'require: { why: writes }\n');
    expect((await runCli(args, { cwd }))[stream]).toContain('does not say why it needs "products: write"');
  });

  it('is no matter for looking at profiles', async () => {
    const cwd = await folder(DENY);
    expect((await runCli(['profiles', 'show', 'agent'], { cwd })).exitCode).toBe(0);
    expect((await runCli(['diff', 'agent', 'analytics'], { cwd })).exitCode).toBe(0);
  });

  it('may lie elsewhere, and must then be there', async () => {
    const cwd = await folder('{}');
    await writeFile(join(cwd, 'fleet.yaml'), DENY);
    const plan = (...args: string[]) => runCli(['plan', 'agent', ...args], { cwd });
    expect((await plan()).exitCode).toBe(0);
    expect((await plan('--policy', 'fleet.yaml')).stderr).toContain(
      'The policy fleet.yaml is broken by a line',
    );
    expect((await plan('--policy', 'none.yaml')).stderr).toContain('none.yaml cannot be read (ENOENT)');
    const fromVariable = await runCli(['plan', 'agent'], { cwd, env: { KEYAUDIT_POLICY: 'fleet.yaml' } });
    expect(fromVariable.exitCode).toBe(2);
  });

  it('is refused with all its mistakes when it is wrong itself', async () => {
    const cwd = await folder('deny:\n  operations: [payout.create]\n  risk: [money-out]\n');
    const run = await runCli(['plan', 'agent'], { cwd });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('keyaudit.policy.yaml:2:16 Unknown operation "payout.create".');
    expect(run.stderr).toContain('keyaudit.policy.yaml:3:3 Unknown key "risk" in deny.');
  });

  it('is linted as well: an exception for no profile', async () => {
    const cwd = await folder('except:\n  - { profile: agnet, deny: [money-in], reason: r }\n');
    const run = await runCli(['profiles', 'lint'], { cwd });
    expect(run.exitCode).toBe(2);
    expect(run.stdout).toMatch(
      /✘ policy keyaudit\.policy\.yaml\n {2}keyaudit\.policy\.yaml:2:5 There is no profile "agnet".*\n.*Did you mean "agent"\?/,
    );
    expect(run.stdout).toContain('6 profiles, 1 mistake');
  });

  it('holds the age of keys: too old fails, unknown is not determined', async () => {
    const cwd = await folder('require:\n  maxKeyAge: 30d\n');
    const sandbox = await startSandboxServer(cwd);
    const at = ['--api-base', sandbox.url];
    const STRIPE_SECRET_KEY = sandbox.secretKey;
    expect((await runCli(['provision', 'agent', ...at], { cwd, env: { STRIPE_SECRET_KEY } })).exitCode).toBe(
      0,
    );
    const young = await runCli(['verify', 'agent', ...at], { cwd });
    expect(young).toMatchObject({ exitCode: 0 });
    expect(young.stdout).not.toContain('DRIFT');

    await editRecords(cwd, (record) => ({
      ...record,
      createdAt: record.createdAt.replace(/^\d{4}/, '2020'),
    }));
    const old = await runCli(['verify', 'agent', ...at, '--format', 'json'], { cwd });
    expect(old.exitCode).toBe(1);
    expect(JSON.parse(old.stdout).results[0].drift).toEqual([
      expect.objectContaining({
        kind: 'key-too-old',
        location: { file: 'keyaudit.policy.yaml', line: 2, column: 14 },
      }),
    ]);

    const { token } = await sandbox.makeKey(['product_write']);
    const elsewhere = await runCli(['verify', 'agent', ...at, '--report', 'junit=r.xml'], {
      cwd,
      env: { STRIPE_AGENT_KEY: token },
    });
    expect(elsewhere.exitCode).toBe(3);
    expect(elsewhere.stdout).toContain('DRIFT key-age-unknown');
    expect(await readFile(join(cwd, 'r.xml'), 'utf8')).toMatch(
      /errors="1"[\s\S]*<error type="key-age-unknown"/,
    );
  });

  it('knows from the lock file how old a key is that was made elsewhere', async () => {
    const cwd = await folder('{}');
    expect((await runCli(['provision', 'agent'], { cwd })).exitCode).toBe(0);
    expect((await runCli(['lock', '--all'], { cwd })).exitCode).toBe(0);
    const token = /=(rk_\w+)/.exec(await readFile(join(cwd, '.keyaudit', 'keys.env'), 'utf8'))?.[1] ?? '';
    const records = join(cwd, '.keyaudit', 'keys.json');
    await writeFile(records, JSON.stringify({ version: 1, keys: [] }));
    await writeFile(join(cwd, 'keyaudit.policy.yaml'), 'require: { maxKeyAge: 30d }\n');
    const env = { STRIPE_AGENT_KEY: token };
    expect((await runCli(['verify', 'agent'], { cwd, env })).exitCode).toBe(3);
    expect((await runCli(['verify', 'agent', '--frozen'], { cwd, env })).exitCode).toBe(0);
    const lock = join(cwd, 'keyaudit.lock.yaml');
    await writeFile(lock, (await readFile(lock, 'utf8')).replace(/made: \d{4}/, 'made: 2020'));
    expect((await runCli(['verify', 'agent', '--frozen'], { cwd, env })).exitCode).toBe(1);
  });
});
