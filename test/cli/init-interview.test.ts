import { access, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { init } from '../../src/commands/init.ts';
import { type Answered, answering } from '../support/answers.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

const read = (...path: string[]) => readFile(join(...path), 'utf8');
const run = ({ context }: Answered) => init({ permission: [] }, context);
const GATE = '.github/workflows/keyaudit.yml';

/** Every file below a folder, but those of keyaudit's own. */
async function filesIn(cwd: string): Promise<Record<string, string>> {
  const entries = await readdir(cwd, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(cwd.length + 1))
    .filter((file) => !/^\.(?:keyaudit|config)\//.test(file))
    .sort();
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await read(cwd, file)])));
}

/** What an init writes that nobody interrupts. */
async function inOnePieceOf(answers: readonly string[]): Promise<Record<string, string>> {
  const cwd = await temporaryFolder();
  expect(await run(answering(cwd, answers))).toBe(0);
  return filesIn(cwd);
}

describe('init asks again', () => {
  it('after each wrong answer, says what is wrong, and explains what a word could mean', async () => {
    const cwd = await temporaryFolder();
    const terminal = answering(cwd, [
      '../x',
      'n'.repeat(101),
      'helper',
      '',
      'dispute',
      'charge=read',
      'balance=write',
      'charges=read, charges=write',
      'zzzz',
      'charges=read: Look up, and nothing else, charges/x=read',
      'charges=read: Look up, and nothing else, products = read',
      'jenkins',
      'GitLab',
    ]);
    expect(await run(terminal)).toBe(0);
    const said = terminal.said().replace(/\s+/g, ' ');
    for (const words of [
      '"../x" is no name for a profile. Use letters',
      'That is too long',
      'disputes: 4 calls:',
      'At stake: money-out.',
      'Did you mean "charges"?',
      'balance',
      'charges is there twice',
      'No resource, permission or call has "zzzz" in its name.',
      '"jenkins" is none of them. Valid: github, gitlab, none.',
    ]) {
      expect(said).toContain(words);
    }
    expect(parse(await read(cwd, 'profiles', 'helper.yaml'))).toMatchObject({
      description: 'What helper does',
      permissions: { charges: { level: 'read', why: 'Look up, and nothing else' }, products: 'read' },
    });
    expect(await read(cwd, 'keyaudit.gitlab-ci.yml')).toContain('keyaudit@1.2.3');
  });

  it('takes no key for an answer, and keeps none', async () => {
    const cwd = await temporaryFolder();
    const key = ['sk', 'test', '51NothingThatWorks'].join('_');
    const terminal = answering(cwd, [
      key,
      'helper',
      `it has ${key}`,
      'helps',
      `charges=read: ${key}`,
      '',
      'none',
    ]);
    expect(await run(terminal)).toBe(0);
    expect(terminal.said().match(/That holds a key/g)).toHaveLength(3);
    expect(terminal.said()).not.toContain(key);
    expect(JSON.stringify(await filesIn(cwd))).not.toContain(key);
  });

  it('takes the writes that come along with a reason, and locks at once', async () => {
    const cwd = await temporaryFolder();
    const answers = [
      'helper',
      '',
      'refunds=write',
      'perhaps',
      'accept',
      '',
      'Refunds are its work: all of it',
      '',
    ];
    const terminal = answering(cwd, answers);
    expect(await run(terminal)).toBe(0);
    expect(terminal.said()).toContain('✔ keyaudit.lock.yaml');
    expect(terminal.said()).not.toContain('profiles accept');
    expect(parse(await read(cwd, 'profiles', 'helper.yaml')).accept).toEqual([
      { operations: expect.arrayContaining(['charges.create']), reason: 'Refunds are its work: all of it' },
    ]);
    expect((await runCli(['verify', 'helper', '--frozen'], { cwd })).exitCode).toBe(0);
  });

  it('asks for something else where those writes are too much', async () => {
    const cwd = await temporaryFolder();
    const terminal = answering(cwd, ['helper', '', 'refunds=write', 'change', 'refunds=read', '']);
    expect(await run(terminal)).toBe(0);
    expect(parse(await read(cwd, 'profiles', 'helper.yaml')).permissions).toEqual({ refunds: 'read' });
  });
});

describe('init goes on', () => {
  let whole: Promise<Record<string, string>> | undefined;
  const ANSWERS = ['helper', 'Helps', 'refunds=write', 'accept', 'It refunds', 'gitlab'];

  it.each(ANSWERS.map((_, index) => [index] as const))(
    'where it was ended, at question %i, and comes to the same',
    async (index) => {
      const cwd = await temporaryFolder();
      const first = answering(cwd, [...ANSWERS.slice(0, index), undefined]);
      await expect(run(first)).rejects.toMatchObject({
        code: 'INTERRUPTED',
        exitCode: 3,
        message: index === 0 ? /nothing was written/ : /no file was written, and your answers are kept/,
        hint: index === 0 ? undefined : 'Go on with "keyaudit init".',
      });
      expect(await filesIn(cwd)).toEqual({});
      // What was said of the writes that come along is one answer: the way and its reason.
      const left = ANSWERS.slice(index === 4 ? 3 : index);
      const second = answering(cwd, [...(index === 0 ? [] : ['yes']), ...left]);
      expect(await run(second)).toBe(0);
      expect(second.asked).toHaveLength(left.length + (index === 0 ? 0 : 1));
      whole ??= inOnePieceOf(ANSWERS);
      const inOnePiece = await whole;
      const inTwo = await filesIn(cwd);
      expect(Object.keys(inTwo)).toEqual(Object.keys(inOnePiece));
      expect(inTwo['profiles/helper.yaml']).toBe(inOnePiece['profiles/helper.yaml']);
      await expect(access(join(cwd, '.keyaudit/init.json'))).rejects.toThrow('ENOENT');
    },
  );

  it('begins anew where that is wanted', async () => {
    const cwd = await temporaryFolder();
    await expect(run(answering(cwd, ['first', 'x', undefined]))).rejects.toThrow('Interrupted');
    const again = answering(cwd, ['no', 'second', '', '', 'none']);
    expect(await run(again)).toBe(0);
    expect(again.said()).toContain('An init of first was begun on 2026-11-23');
    expect(Object.keys(await filesIn(cwd))).toEqual(['keyaudit.lock.yaml', 'profiles/second.yaml']);
  });

  it('after a file could not be written, and writes what is missing', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, '.github'), 'a file in the place of the folder');
    await expect(run(answering(cwd, ['helper', '', '', '']))).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
    });
    const profile = await read(cwd, 'profiles/helper.yaml');
    await rm(join(cwd, '.github'));
    const again = answering(cwd, ['']);
    expect(await run(again)).toBe(0);
    expect(again.asked).toHaveLength(1);
    expect(await read(cwd, 'profiles/helper.yaml')).toBe(profile);
    expect(again.said()).toContain(`✔ ${GATE}`);
    expect(again.said()).toContain('✔ keyaudit.lock.yaml');
  });

  it('with another name where somebody wrote that profile in between', async () => {
    const cwd = await temporaryFolder();
    await expect(run(answering(cwd, ['helper', 'x', undefined]))).rejects.toThrow('Interrupted');
    const theirs = 'name: helper\nenv: THEIR_KEY\npermissions: { products: read }\n';
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles/helper.yaml'), theirs);
    const again = answering(cwd, ['yes', '', 'none', 'helper', 'helper-two']);
    expect(await run(again)).toBe(0);
    expect(await read(cwd, 'profiles/helper.yaml')).toBe(theirs);
    expect(parse(await read(cwd, 'profiles/helper-two.yaml')).description).toBe('x');
  });

  it('never with answers that came with a checkout', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, '.keyaudit'));
    const planted = {
      startedAt: '2026-11-01T00:00:00Z',
      name: 'evil',
      permissions: [],
      ci: 'none',
      seal: 'x',
    };
    await writeFile(join(cwd, '.keyaudit/init.json'), JSON.stringify({ version: 1, unfinished: [planted] }));
    const terminal = answering(cwd, ['helper', '', '', '']);
    expect(await run(terminal)).toBe(0);
    expect(terminal.said()).not.toContain('evil');
    expect(terminal.asked).toHaveLength(4);
  });
});

describe('init adds a second agent', () => {
  it('beside the first: its key to the gate, and not a byte of the first profile changed', async () => {
    const cwd = await temporaryFolder();
    expect(await run(answering(cwd, ['first', '', 'charges=read', '']))).toBe(0);
    const before = await filesIn(cwd);
    const second = answering(cwd, ['first', 'second', '', 'products=read', '']);
    expect(await run(second)).toBe(0);
    expect(second.said()).toContain('There is one profile here: first.');
    expect(second.said()).toContain('There is a profile "first" already.');
    const after = await filesIn(cwd);
    expect(after['profiles/first.yaml']).toBe(before['profiles/first.yaml']);
    expect(after[GATE]).toBe(
      before[GATE]?.replace(
        /^( +)STRIPE_FIRST_KEY: .*\n/m,
        (line, indent) => `${line}${indent}STRIPE_SECOND_KEY: \${{ secrets.STRIPE_SECOND_KEY }}\n`,
      ),
    );
    expect(Object.keys(parse(after['keyaudit.lock.yaml'] ?? '').profiles)).toEqual(['first', 'second']);
    expect((await runCli(['verify', '--all', '--frozen'], { cwd })).exitCode).toBe(0);
  });

  it('by flags as well, in the version of the gate that was agreed on', async () => {
    const cwd = await temporaryFolder();
    expect((await runCli(['init', 'first'], { cwd })).exitCode).toBe(0);
    await writeFile(join(cwd, GATE), (await read(cwd, GATE)).replace(/keyaudit@[\d.]+/g, 'keyaudit@0.0.9'));
    expect((await runCli(['init', 'second'], { cwd })).exitCode).toBe(0);
    const gate = await read(cwd, GATE);
    expect(gate).toContain('secrets.STRIPE_SECOND_KEY');
    expect(new Set(gate.match(/keyaudit@[\d.]+/g))).toEqual(new Set(['keyaudit@0.0.9']));
  });

  it('leaves a gate that somebody changed, says what it lacks, and replaces it only when told to', async () => {
    const cwd = await temporaryFolder();
    expect((await runCli(['init', 'first'], { cwd })).exitCode).toBe(0);
    const changed = `${await read(cwd, GATE)}# and a job of our own\n`;
    await writeFile(join(cwd, GATE), changed);
    const byFlags = await runCli(['init', 'second'], { cwd });
    expect(byFlags).toMatchObject({ exitCode: 2, stdout: '' });
    expect(byFlags.stderr).toContain(`${GATE} is there already; nothing was written.`);
    const left = answering(cwd, ['second', '', '', '', 'leave']);
    expect(await run(left)).toBe(0);
    expect(await read(cwd, GATE)).toBe(changed);
    expect(left.said().replace(/\s+/g, ' ')).toMatch(
      /It lacks: STRIPE_SECOND_KEY: \$\{\{ secrets\.STRIPE_SECOND_KEY \}\}/,
    );
    expect(await run(answering(cwd, ['third', '', '', '', 'replace']))).toBe(0);
    expect(await read(cwd, GATE)).not.toContain('a job of our own');
  });

  it('asks for a variable where two names come to one', async () => {
    const cwd = await temporaryFolder();
    expect(await run(answering(cwd, ['my.agent', '', 'charges=read', 'none']))).toBe(0);
    const second = answering(cwd, [
      'my-agent',
      'PATH',
      'STRIPE_MY_AGENT_KEY',
      '',
      '',
      'charges=read',
      'none',
    ]);
    expect(await run(second)).toBe(0);
    expect(parse(await read(cwd, 'profiles/my-agent.yaml')).env).toBe('STRIPE_MY_AGENT_2_KEY');
    expect((await runCli(['profiles', 'lint'], { cwd })).exitCode).toBe(0);
  });

  it('refuses a name that a file of another name has, and a folder with a profile that is broken', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles/a.yaml'), 'name: helper\npermissions: { charges: read }\n');
    const taken = await runCli(['init', 'helper'], { cwd });
    expect(taken).toMatchObject({ exitCode: 2, stdout: '' });
    expect(taken.stderr).toContain('A profile "helper" is there already; nothing was written.');
    await writeFile(join(cwd, 'profiles/a.yaml'), 'name: "\\e]0;owned\\a"\npermission: {}\n');
    const broken = await runCli(['init', 'other'], { cwd });
    expect(broken).toMatchObject({ exitCode: 2, stdout: '' });
    expect(broken.stderr).toContain('profiles/a.yaml has');
    expect(broken.stderr).not.toContain('\u001b');
    expect(Object.keys(await filesIn(cwd))).toEqual(['profiles/a.yaml']);
  });
});

describe('init in a checkout of somebody else', () => {
  it.each([
    ['profiles', 'profiles/helper.yaml'],
    ['.github', GATE],
  ])('writes nothing through a link in the place of %s', async (link, file) => {
    const cwd = await temporaryFolder();
    const outside = await temporaryFolder();
    await symlink(outside, join(cwd, link));
    const made = await runCli(['init', 'helper'], { cwd });
    expect(made).toMatchObject({ exitCode: 2, stdout: '' });
    expect(made.stderr).toContain(`A link leads ${file} out of this project.`);
    expect(await readdir(outside)).toEqual([]);
  });

  it('writes to the folder that the settings name, below the project, and to no other', async () => {
    const cwd = await temporaryFolder();
    const settings = join(cwd, 'keyaudit.config.yaml');
    await writeFile(settings, 'profiles: agents\ntarget: stripe\n');
    const made = await runCli(['init', 'helper', '--ci', 'none'], { cwd });
    expect(made.exitCode).toBe(0);
    expect(made.stdout).toContain('✔ agents/helper.yaml\n✔ keyaudit.lock.yaml');
    expect((await runCli(['plan', 'helper'], { cwd })).exitCode).toBe(0);
    await writeFile(settings, 'profiles: ../agents\n');
    const refused = await runCli(['init', 'other'], { cwd });
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain('keyaudit.config.yaml:1');
  });
});
