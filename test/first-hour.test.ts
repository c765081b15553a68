import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runCli, temporaryFolder } from './support/run-cli.ts';

const page = readFileSync(fileURLToPath(new URL('../docs/first-hour.md', import.meta.url)), 'utf8');

/** The commands of the page, each with the exit code that it says. */
const COMMANDS = [...page.matchAll(/^npx keyaudit (.*?)(?: # exit (\d))?$/gm)].map(
  ([, words = '', exit = '0']) => ({
    args: [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''),
    exitCode: Number(exit),
  }),
);

it('every command of docs/first-hour.md does what it says, in this order', async () => {
  expect(COMMANDS.length).toBeGreaterThan(12);
  const cwd = await temporaryFolder();
  for (const { args, exitCode } of COMMANDS) {
    const run = await runCli(args, { cwd });
    expect([args.join(' '), run.exitCode, run.exitCode === exitCode ? '' : run.stderr]).toEqual([
      args.join(' '),
      exitCode,
      '',
    ]);
  }
});
