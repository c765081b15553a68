import { readdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findPeer, PEERS } from '../support/peer.ts';
import { openPseudoTerminal, type PseudoTerminal } from '../support/pseudo-terminal.ts';
import { KEYAUDIT, NODE, runCli, temporaryFolder } from '../support/run-cli.ts';

const python = await findPeer(['python', 'python3'], 'init on a terminal', [
  join(PEERS, 'python/bin'),
  ...(process.env.PATH ?? '').split(delimiter),
]);

const DOWN = '\u001b[B';
const CLEAR = '\u0015';
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told begins with the escape character
const COLOUR = /\u001b\[[\d;]*m/;

function open(cwd: string, env: Record<string, string> = { NO_COLOR: '1' }, columns = 80): PseudoTerminal {
  return openPseudoTerminal([NODE, KEYAUDIT, 'init'], { python: python.file, cwd, env, columns });
}

/** Waits for each question, then types what belongs to it. */
async function answer(
  terminal: PseudoTerminal,
  steps: readonly (readonly [RegExp, string])[],
): Promise<void> {
  for (const [shown, typed] of steps) {
    await terminal.until(shown);
    terminal.type(typed);
  }
}

/** What is in a folder but for keyaudit's own. */
const filesIn = async (cwd: string) =>
  (await readdir(cwd)).filter((name) => !/^\.(?:keyaudit|config)$/.test(name));

describe.skipIf(python.missing)('init on a terminal', () => {
  it('searches while it is typed, explains, asks again, is interrupted, and goes on where it was', async () => {
    const cwd = await temporaryFolder();
    const first = open(cwd);
    await answer(first, [
      [/Name of the agent/, '../x\r'],
      [/"\.\.\/x" is no name for a profile/, `${CLEAR}helper\r`],
      [/What does it do/, 'Gives back\r'],
      [/What does it need\?/, 'refu'],
      [/● refunds \(6 calls[\s\S]*At stake: money-out/, 'nds\r'],
      [/How much of refunds/, DOWN],
      [/● write/, '\r'],
      [/Why does it need to write refunds/, 'It is its work\r'],
      [/So far refunds: write/, 'zzzz\r'],
      [/Nothing is called so/, CLEAR],
      [/● done/, '\u0003'],
    ]);
    expect(await first.ended()).toBe(3);
    const said = first.shown().replace(/\s+/g, ' ');
    expect(said).toContain('no file was written, and your answers are kept');
    expect(first.shown()).not.toMatch(COLOUR);
    // The cursor is there again.
    expect(first.shown().lastIndexOf('\u001b[?25h')).toBeGreaterThan(
      first.shown().lastIndexOf('\u001b[?25l'),
    );
    expect(await filesIn(cwd)).toEqual([]);

    const second = open(cwd, {});
    await answer(second, [
      [/An init of helper with refunds was begun/, '\r'],
      [/So far refunds: write/, 'done\r'],
      [/cannot separate these writes/, DOWN],
      [/● \S*accept|● accept|accept \S*\(take/, '\r'],
      [/Why is that acceptable/, '\r'],
      [/An acceptance needs a reason/, 'Agreed\r'],
      [/github/, '\r'],
    ]);
    expect(await second.ended()).toBe(0);
    expect(second.shown()).toMatch(COLOUR);
    expect(second.shown()).not.toContain('Name of the agent');
    expect(parse(await readFile(join(cwd, 'profiles/helper.yaml'), 'utf8'))).toMatchObject({
      name: 'helper',
      description: 'Gives back',
      permissions: { refunds: { level: 'write', why: 'It is its work' } },
      accept: [{ reason: 'Agreed' }],
    });
    expect((await runCli(['verify', 'helper', '--frozen'], { cwd })).exitCode).toBe(0);
    expect((await readdir(join(cwd, '.keyaudit'))).filter((name) => name.startsWith('init'))).toEqual([]);
  });

  it.each<[string, Record<string, string>, number]>([
    ['TERM=dumb', { TERM: 'dumb' }, 80],
    ['ACCESSIBLE', { ACCESSIBLE: '1' }, 80],
    ['30 columns', {}, 30],
  ])('asks by plain lines with %s; the end of input ends it', async (_why, env, columns) => {
    const cwd = await temporaryFolder();
    const terminal = open(cwd, { NO_COLOR: '1', ...env }, columns);
    await answer(terminal, [
      [/Name of the agent \[my-agent\]: /, 'helper\r'],
      [/one\s+sentence/, '\u0004'],
    ]);
    expect(await terminal.ended()).toBe(3);
    expect(terminal.shown()).not.toMatch(/[│◆]/);
    expect(await filesIn(cwd)).toEqual([]);
  });

  it('ends where the input of what is drawn ends', async () => {
    const cwd = await temporaryFolder();
    const terminal = open(cwd);
    await answer(terminal, [[/Name of the agent/, '\u0004']]);
    expect(await terminal.ended()).toBe(3);
    expect(terminal.shown()).toContain('Interrupted; nothing was written.');
    expect(await filesIn(cwd)).toEqual([]);
  });
});
