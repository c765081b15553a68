import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { adoptLeftovers } from '../../src/store/notes/journal.ts';
import { editRecords } from '../support/edit-records.ts';
import { answerJson, startFaultyServer } from '../support/faulty-server.ts';
import { runProgram, temporaryFolder } from '../support/run-cli.ts';
import { type Scene, scene } from '../support/scene.ts';

// A working folder is input: what lies in it names no server, no key to end, no command and no place.

const SECRET = 'sk_test_aSecretOfTheUsers00000000';

interface Planted {
  readonly apiBase?: string;
  readonly target?: string;
  readonly retire?: string;
  readonly place?: string;
}

function journalText({ apiBase, target = 'stripe', retire = 'mk_1victim' }: Planted): string {
  const entry = {
    id: 'planted',
    command: 'rotate',
    owner: { pid: 1, host: 'gone', ticks: '' },
    startedAt: '2020-01-01T00:00:00.000Z',
    target,
    apiBase,
    mode: 'test',
    profile: 'analytics',
    step: 'retiring',
    retire,
    seal: 'c2VhbGVk',
  };
  return JSON.stringify({ version: 1, entries: [entry] });
}

function recordsText({ apiBase, target = 'sandbox', retire = 'mk_1victim', place = '' }: Planted): string {
  const key = {
    id: retire,
    name: 'keyaudit/analytics/20200101T000000Z-000000',
    profile: 'analytics',
    profileDigest: 'x',
    permissions: ['charge_read'],
    connectPermissions: [],
    mode: 'test',
    keyApi: 'managed',
    target,
    apiBase,
    fingerprint: 'sha256:0',
    variable: 'STRIPE_ANALYTICS_KEY',
    place,
    status: 'active',
    createdAt: '2020-01-01T00:00:00.000Z',
  };
  return JSON.stringify({ version: 1, keys: [key] });
}

async function plant(cwd: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(cwd, '.keyaudit'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, '.keyaudit', name), text);
}

describe('a journal and records that came with the checkout', () => {
  it.each<readonly [args: readonly string[], exitCode: number]>([
    [['plan', 'analytics'], 0],
    [['permissions', 'GET /v1/charges'], 0],
    [['profiles', 'list'], 0],
    [['profiles', 'lint'], 0],
    [['profiles', 'show', 'analytics'], 0],
    [['completion', 'bash'], 0],
    [['diff', 'analytics', 'refund-agent'], 0],
    [['init', 'mine', '--ci', 'none'], 0],
    [['keys', 'list'], 0],
    [['keys', 'clean-up'], 0],
    [['keys', 'clean-up', '--take-over'], 0],
    [['provision', 'analytics'], 0],
    [['rotate', '--all'], 0],
    [['rotate', 'analytics'], 3],
    [['revoke', 'analytics'], 2],
    [['exec', 'analytics', '--', 'true'], 0],
  ])('%j asks the named server nothing, and runs nothing', async (args, exitCode) => {
    const server = await startFaultyServer((_request, response) => answerJson(response, 200, {}));
    const cwd = await temporaryFolder();
    await plant(cwd, {
      'journal.json': journalText({ apiBase: server.url }),
      'keys.json': recordsText({ apiBase: server.url, place: 'exec:touch pwned' }),
    });
    const run = await runProgram(args, { cwd, env: { STRIPE_SECRET_KEY: SECRET } });
    expect([run.exitCode, run.stderr]).toEqual([exitCode, expect.anything()]);
    expect(server.requests).toEqual([]);
    expect(await readdir(cwd)).not.toContain('pwned');
    expect(run.stdout + run.stderr).not.toContain(SECRET);
    const talks = /^(?:keys|provision|rotate|revoke|exec)$/.test(args[0] ?? '') && exitCode !== 2;
    if (talks) expect((run.stdout + run.stderr).replace(/\s+/g, ' ')).toContain('mk_1victim');
    // What is not ours is kept for its owner.
    expect(await readFile(join(cwd, '.keyaudit/journal.json'), 'utf8')).toContain('planted');
  });

  it('end no key of the account that the command is about', async () => {
    const here = await scene();
    const victim = await makeVictim(here);
    const at = { target: 'sandbox', apiBase: here.sandbox.url, retire: victim.id };
    await plant(here.cwd, { 'journal.json': journalText(at), 'keys.json': recordsText(at) });
    for (const args of [
      ['keys', 'clean-up'],
      ['rotate', '--all'],
      ['provision', 'analytics'],
    ]) {
      expect((await here.run(args)).exitCode).toBe(0);
      expect(await here.statusOf(victim.token)).toBe(200);
    }
  });

  it('are taken over only by a command that says so, after it has shown what it would end', async () => {
    const here = await scene();
    const victim = await makeVictim(here);
    await plant(here.cwd, {
      'journal.json': journalText({ target: 'sandbox', apiBase: here.sandbox.url, retire: victim.id }),
    });
    const shown = await here.run(['keys', 'clean-up', '--take-over']);
    expect(shown).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(victim.id) });
    expect(await here.statusOf(victim.token)).toBe(200);
    expect((await here.run(['keys', 'clean-up', '--yes'])).exitCode).toBe(2);
    expect((await here.run(['keys', 'clean-up', '--take-over', '--yes'])).exitCode).toBe(0);
    expect(await here.statusOf(victim.token)).toBe(401);
  });

  it('are nobody’s when the key in the user’s folder came with the checkout too', async () => {
    const here = await scene();
    await here.run(['provision', 'analytics']);
    const git = (...args: string[]) => execa('git', args, { cwd: here.cwd });
    await git('init', '-q');
    await git('add', '-f', '.config/keyaudit/own.key');
    const rotated = await here.run(['rotate', 'analytics']);
    expect(rotated.exitCode).toBe(3);
    const made = await here.run(['provision', 'refund-agent', '--store', 'env-file:other.env']);
    expect(made).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('it came with a checkout') });
    expect(await here.active()).toHaveLength(1);
  });
});

describe('a note of our own', () => {
  it('counts no more once a byte of it was changed', async () => {
    const here = await scene();
    await here.run(['provision', 'analytics']);
    const file = join(here.cwd, '.keyaudit/keys.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('.keyaudit/keys.env', 'public.env'));
    expect((await here.run(['rotate', 'analytics'])).exitCode).toBe(3);
    expect(await readdir(here.cwd)).not.toContain('public.env');
    expect(await here.active()).toHaveLength(1);
  });

  it('names no command to run', async () => {
    const here = await scene();
    await here.run(['provision', 'analytics', '--store', 'exec:cat >> taken']);
    const before = await readFile(join(here.cwd, 'taken'), 'utf8');
    const silent = await here.run(['rotate', 'analytics']);
    expect(silent).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('runs no command') });
    expect(await readFile(join(here.cwd, 'taken'), 'utf8')).toBe(before);
    expect(await here.active()).toHaveLength(1);
    const said = await here.run(['rotate', 'analytics', '--store', 'exec:cat > taken']);
    // The new key is stored; the old one's secret is not at hand, so that nobody has seen it dead.
    expect(said.exitCode).toBe(3);
    expect(await readFile(join(here.cwd, 'taken'), 'utf8')).toBe((await here.active())[0]?.token);
  });

  it('is finished only at the server that the command is about', async () => {
    const here = await scene();
    const elsewhere = await startFaultyServer((_request, response) => answerJson(response, 200, {}));
    await plant(here.cwd, {
      'journal.json': journalText({ target: 'sandbox', apiBase: elsewhere.url }),
    });
    await adoptLeftovers({ cwd: here.cwd, env: { HOME: here.cwd } });
    const run = await here.run(['keys', 'clean-up']);
    expect(run.exitCode).toBe(3);
    expect(run.stderr.replace(/\s+/g, ' ')).toContain(
      `keyaudit keys clean-up --target sandbox --api-base ${elsewhere.url}`,
    );
    expect(elsewhere.requests).toEqual([]);
  });

  it('ends no key that has another name, or is not to be found, at the server', async () => {
    const here = await scene();
    await here.run(['provision', 'analytics']);
    const [key] = await here.active();
    for (const retire of [String(key?.id), 'mk_1nowhere']) {
      await plant(here.cwd, {
        'journal.json': journalText({ target: 'sandbox', apiBase: here.sandbox.url, retire }),
      });
      await adoptLeftovers({ cwd: here.cwd, env: { HOME: here.cwd } });
      await editRecords(here.cwd, (record) => ({ ...record, name: 'keyaudit/analytics/other' }));
      expect((await here.run(['keys', 'clean-up'])).exitCode).toBe(3);
      expect(await here.active()).toHaveLength(1);
    }
  });
});

describe('a link, or a rule of git, at a place of ours', () => {
  it.each<readonly [name: string, prepare: (cwd: string) => Promise<unknown>, message: RegExp]>([
    [
      '.keyaudit leads elsewhere',
      async (cwd) => {
        await mkdir(join(cwd, 'elsewhere'), { mode: 0o755 });
        await symlink('elsewhere', join(cwd, '.keyaudit'));
      },
      /is a link/,
    ],
    [
      'keys.env leads elsewhere',
      async (cwd) => {
        await mkdir(join(cwd, '.keyaudit'));
        await symlink('../elsewhere.env', join(cwd, '.keyaudit/keys.env'));
      },
      /is a link/,
    ],
    [
      'git takes up what lies in .keyaudit',
      async (cwd) => {
        await execa('git', ['init', '-q'], { cwd });
        await plant(cwd, { '.gitignore': '!*\n' });
      },
      /git would take up/,
    ],
  ])('%s: exit 2, no secret is written, no key is left', async (_name, prepare, message) => {
    const here = await scene();
    // The sandbox keeps its own state in the folder of the scene.
    const cwd = await temporaryFolder();
    await prepare(cwd);
    const env = { STRIPE_SECRET_KEY: here.sandbox.secretKey };
    const args = ['provision', 'analytics', '--target', 'sandbox', '--api-base', here.sandbox.url];
    const run = await runProgram(args, { cwd, env });
    expect(run.exitCode).toBe(2);
    expect(run.stderr.replace(/\s+/g, ' ')).toMatch(message);
    expect(await here.active()).toEqual([]);
    const files = await readdir(cwd, { recursive: true });
    expect(files.filter((file) => /elsewhere(\.env|\/.)/.test(file))).toEqual([]);
    const elsewhere = await stat(join(cwd, 'elsewhere')).catch(() => undefined);
    if (elsewhere !== undefined) expect(elsewhere.mode & 0o777).toBe(0o755);
  });

  it('an env file that is a link to one that git has: exit 2', async () => {
    const here = await scene();
    const { cwd } = here;
    await execa('git', ['init', '-q'], { cwd });
    await writeFile(join(cwd, '.gitignore'), '.env\n');
    await writeFile(join(cwd, 'public.txt'), 'A=1\n');
    await symlink('public.txt', join(cwd, '.env'));
    const run = await here.run(['provision', 'analytics', '--store', 'env-file:.env']);
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('git would take up') });
    expect(await readFile(join(cwd, 'public.txt'), 'utf8')).toBe('A=1\n');
    expect(await here.active()).toEqual([]);
  });

  it('a repository’s configuration runs nothing', async () => {
    const here = await scene();
    const { cwd } = here;
    await execa('git', ['init', '-q'], { cwd });
    await writeFile(join(cwd, 'hook.sh'), '#!/bin/sh\ntouch "$(dirname "$0")/pwned"\n', { mode: 0o755 });
    await execa('git', ['config', 'core.fsmonitor', join(cwd, 'hook.sh')], { cwd });
    expect((await here.run(['provision', 'analytics'])).exitCode).toBe(0);
    expect(await readdir(cwd)).not.toContain('pwned');
  });
});

/** A key of the account that keyaudit did not make. */
async function makeVictim({ sandbox }: Scene): Promise<{ id: string; token: string }> {
  const response = await fetch(`${sandbox.url}/v2/iam/api_keys`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${sandbox.secretKey}`,
      'stripe-version': '2026-08-26.preview',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ type: 'secret_key', name: 'the shop itself', permissions: ['charge_read'] }),
  });
  const { id, secret_key } = (await response.json()) as { id: string; secret_key: { token: string } };
  return { id, token: secret_key.token };
}
