import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

// Where a person stumbled who took the program for the first time.

const OWN = (name: string) =>
  `name: ${name}\nenv: STRIPE_${name.toUpperCase()}_KEY\npermissions:\n  charges: read\nchecks:\n  allow: [charges.list]\n`;

describe('verify alone', () => {
  it('takes the only profile of the project', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles/bot.yaml'), OWN('bot'));
    await runCli(['provision', 'bot'], { cwd });
    // A key of an example is none of the project's.
    await runCli(['provision', 'analytics'], { cwd });
    const run = await runCli(['verify', '--depth', 'checks'], { cwd });
    expect([run.exitCode, run.stdout]).toEqual([0, expect.stringContaining('bot profiles/bot.yaml')]);
  });

  it('takes the only one that has a key here, where the project has no profile', async () => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'analytics'], { cwd });
    const run = await runCli(['verify', '--depth', 'checks'], { cwd });
    expect([run.exitCode, run.stdout]).toEqual([0, expect.stringContaining('analytics ')]);
    await runCli(['provision', 'refund-agent'], { cwd });
    const asked = await runCli(['verify'], { cwd });
    expect([asked.exitCode, asked.stderr]).toEqual([2, expect.stringContaining('No profile named')]);
  });

  it('tells the command that makes the missing key once', async () => {
    const run = await runCli(['verify', 'analytics'], { cwd: await temporaryFolder() });
    expect(run.exitCode).toBe(3);
    expect(run.stdout.match(/keyaudit provision analytics/g)).toHaveLength(1);
  });
});

describe('the first profile of a project', () => {
  const inspect = async (cwd: string) => {
    await runCli(['provision', 'analytics'], { cwd });
    const [, key = ''] =
      /^STRIPE_ANALYTICS_KEY=(.*)$/m.exec(await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8')) ?? [];
    return (file: string) =>
      runCli(['inspect', '--key-env', 'KEY', '--profile-output', file], { cwd, env: { KEY: key } });
  };

  it('makes its folder', async () => {
    const cwd = await temporaryFolder();
    expect(await (await inspect(cwd))('profiles/found.yaml')).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(cwd, 'profiles/found.yaml'), 'utf8')).toContain('name: found');
  });

  it('makes none outside of the project, nor through a link that a checkout brought', async () => {
    const outside = await temporaryFolder();
    const cwd = join(outside, 'project');
    await mkdir(cwd);
    await symlink(join(outside, 'elsewhere'), join(cwd, 'profiles'));
    const write = await inspect(cwd);
    for (const file of ['profiles/found.yaml', '../elsewhere/found.yaml']) {
      const run = await write(file);
      expect([file, run.exitCode, run.stderr]).toEqual([
        file,
        2,
        expect.stringContaining('cannot be written'),
      ]);
    }
    expect(await readdir(outside)).toEqual(['project']);
  });
});
