import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';

/** The built CLI, as users run it. */
export const KEYAUDIT = fileURLToPath(new URL('../../bin/keyaudit.js', import.meta.url));

/** The Node that runs it: this one, or the version that `npm run test:peers` tries it with. */
export const NODE = process.env.KEYAUDIT_TEST_NODE ?? process.execPath;

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs the built CLI with an environment that holds nothing but what the test gives it. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliRun> {
  const run = await execa(NODE, [KEYAUDIT, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', HOME: options.cwd, NO_COLOR: '1', ...options.env },
    extendEnv: false,
    reject: false,
    input: options.input ?? '',
    stripFinalNewline: false,
  });
  return { exitCode: run.exitCode ?? -1, stdout: run.stdout, stderr: run.stderr };
}

/** A temporary working folder, removed when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
