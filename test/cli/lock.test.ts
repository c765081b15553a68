import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const LOCK = 'keyaudit.lock.yaml';
const KEY = /\b(?:rk|sk)_(?:test|live)_[A-Za-z0-9]{8,}/;

const profile = `name: agent
permissions:
  charges: read
  products: read
checks:
  allow: [charges.list]
  forbid: [refunds.create]
`;

/** A working folder with one profile, its key and its lock file. */
async function lockedFolder(): Promise<string> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, 'profiles', 'agent.yaml'), profile);
  expect((await runCli(['provision', 'agent'], { cwd })).exitCode).toBe(0);
  expect(await runCli(['lock', '--all'], { cwd })).toMatchObject({ exitCode: 0, stderr: '' });
  return cwd;
}

const frozen = (cwd: string, ...args: string[]) => runCli(['verify', '--all', '--frozen', ...args], { cwd });
const words = (text: string) => text.replace(/\s+/g, ' ');

describe('keyaudit lock and verify --frozen', () => {
  it('writes the same file again, without a secret, and passes against it', async () => {
    const cwd = await lockedFolder();
    const text = await readFile(join(cwd, LOCK), 'utf8');
    expect(text).toContain('      charges.list: allowed\n');
    expect(text).toContain('      refunds.create: forbidden\n');
    expect(text).not.toMatch(KEY);
    expect((await runCli(['lock', '--all'], { cwd })).stdout).toContain('Nothing but keys has changed.');
    expect(await readFile(join(cwd, LOCK), 'utf8')).toBe(text);
    expect(await frozen(cwd)).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('lets a rotation pass: another key of the same reach is a note', async () => {
    const cwd = await lockedFolder();
    await runCli(['provision', 'agent', '--again'], { cwd });
    const run = await frozen(cwd);
    expect(run.exitCode).toBe(0);
    expect(words(run.stdout)).toContain('DRIFT changed: Another key than the locked one');
    expect(await runCli(['lock', 'agent', '--check'], { cwd })).toMatchObject({ exitCode: 0 });
  });

  it('finds what became wider although profile and key agree', async () => {
    const cwd = await lockedFolder();
    await writeFile(
      join(cwd, 'profiles', 'agent.yaml'),
      profile.replace('products: read', 'products: write'),
    );
    await runCli(['provision', 'agent', '--again'], { cwd });
    expect((await runCli(['verify', '--all'], { cwd })).exitCode).toBe(0);
    const run = await frozen(cwd, '--format', 'json');
    expect(run.exitCode).toBe(1);
    const [result] = JSON.parse(run.stdout).results;
    expect(result.findings).toEqual([]);
    expect(result.drift[0]).toMatchObject({
      kind: 'wider-profile',
      name: 'product_write',
      weight: 'fails',
      location: { file: 'profiles/agent.yaml', line: 4 },
    });
    const wider = result.drift.filter((one: { kind: string }) => one.kind === 'wider-key');
    expect(wider[0]?.message).toMatch(/^The key can now call \w+\.\w+\.$/);
    expect(await runCli(['lock', '--all', '--check'], { cwd })).toMatchObject({ exitCode: 1 });
    const relocked = await runCli(['lock', '--all'], { cwd });
    expect(words(relocked.stdout)).toContain('wider-profile: It now grants product_write');
    expect((await frozen(cwd)).exitCode).toBe(0);
  });

  it('only warns of what became narrower', async () => {
    const cwd = await lockedFolder();
    await writeFile(join(cwd, 'profiles', 'agent.yaml'), profile.replace('  products: read\n', ''));
    await runCli(['provision', 'agent', '--again'], { cwd });
    const run = await frozen(cwd);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('DRIFT narrower: It no longer grants product_read');
  });

  it('fails when less is verified than the lock file has', async () => {
    const cwd = await lockedFolder();
    const run = await frozen(cwd, '--depth', 'checks');
    expect(run.exitCode).toBe(1);
    expect(words(run.stdout)).toMatch(
      /DRIFT not-verified: \d+ calls: [\w.]+, .* were verified, and are not any more/,
    );
  });

  it('verifies as deep as the lock file, and an operation of it at any greater depth', async () => {
    const cwd = await lockedFolder();
    await runCli(['lock', '--all', '--depth', 'checks'], { cwd });
    expect(JSON.parse((await frozen(cwd, '--format', 'json')).stdout)).toMatchObject({ depth: 'checks' });
    const deeper = await frozen(cwd, '--depth', 'endpoints', '--format', 'json');
    expect(JSON.parse(deeper.stdout).results[0]).toMatchObject({ drift: [], summary: { probes: 664 } });
  });

  it('locks nothing that is not true, and keeps the old file', async () => {
    const cwd = await lockedFolder();
    const before = await readFile(join(cwd, LOCK), 'utf8');
    const sandbox = await startSandboxServer(cwd);
    const { token } = await sandbox.makeKey(['charge_read', 'product_read', 'payout_write']);
    const lock = (key: string, ...args: readonly string[]) =>
      runCli(['lock', '--all', '--api-base', sandbox.url, ...args], { cwd, env: { STRIPE_AGENT_KEY: key } });
    const broader = await lock(token);
    expect(broader.exitCode).toBe(1);
    expect(broader.stderr).toContain('keyaudit.lock.yaml was not written');
    expect((await lock(token, '--check')).stderr).toContain('keyaudit.lock.yaml could not be compared');
    expect(broader.stderr).toMatch(/agent: the key can do more than its profile says/);
    const dead = await lock('rk_test_notAKeyOfThisServer');
    expect(dead.exitCode).toBe(3);
    expect(await readFile(join(cwd, LOCK), 'utf8')).toBe(before);
  });

  it.each<[string, (text: string) => string | undefined, RegExp]>([
    ['no lock file', () => undefined, /There is no lock file keyaudit\.lock\.yaml\.\n.*keyaudit lock --all/],
    [
      'merge conflict markers',
      (text) => text.replace(/^ {4}depth/m, '<<<<<<< HEAD\n    depth'),
      /keyaudit\.lock\.yaml:13:1 A merge conflict/,
    ],
    [
      'another version',
      (text) => text.replace('lock/1', 'lock/2'),
      /keyaudit\.lock\.yaml:3:9 This is keyaudit\.lock\/2/,
    ],
    [
      'a profile that is not in it',
      (text) => text.replace('  agent:', '  other:'),
      /keyaudit\.lock\.yaml:4:1 The profile agent has no entry\.[\s\S]*:5:3 There is no profile other/,
    ],
  ])('refuses before any probe: %s', async (_name, change, message) => {
    const cwd = await lockedFolder();
    const text = change(await readFile(join(cwd, LOCK), 'utf8'));
    if (text === undefined) await rm(join(cwd, LOCK));
    else await writeFile(join(cwd, LOCK), text);
    const run = await frozen(cwd);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toMatch(message);
  });

  it('reads another file where one is named', async () => {
    const cwd = await lockedFolder();
    await runCli(['lock', 'agent', '--lock', 'other.yaml'], { cwd });
    await rm(join(cwd, LOCK));
    expect((await runCli(['verify', 'agent', '--lock', 'other.yaml'], { cwd })).exitCode).toBe(0);
  });
});

it('locks a profile with a name that every object has', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  for (const name of ['constructor', 'toString'])
    await writeFile(join(cwd, 'profiles', `${name}.yaml`), profile.replace('agent', name));
  expect((await runCli(['provision', '--all'], { cwd })).exitCode).toBe(0);
  expect(await runCli(['lock', 'constructor'], { cwd })).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await runCli(['lock', 'toString'], { cwd })).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await frozen(cwd)).toMatchObject({ exitCode: 0, stderr: '' });
});
