import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { GuardedStream } from '../../src/cli/guarded-stream.ts';
import { run } from '../../src/cli/run.ts';
import { SecretKey } from '../../src/core/secret-key.ts';
import { Redactor } from '../../src/store/redactor.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The built CLI, as users run it. */
export const KEYAUDIT = join(ROOT, 'bin/keyaudit.js');

/** The Node that runs it: this one, or the version that `npm run test:peers` tries it with. */
export const NODE = process.env.KEYAUDIT_TEST_NODE ?? process.execPath;

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  /** Without the lines that tell how far slow work has come. */
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** How much later than it is the program takes it to be, in ms; a program of its own keeps the machine's clock. */
  readonly laterMs?: number;
}

/** What is behind `--` is lent keyaudit's own streams; `sandbox` lives until it is told to end. */
const NEEDS_A_PROCESS = /^(?:exec|sandbox|--)$/;

/**
 * Runs keyaudit in this process, all that it sees being what the test gives it; as a program of its own where the
 * verb needs one, or another Node is tried.
 */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliRun> {
  const isStarted =
    process.env.KEYAUDIT_TEST_NODE !== undefined || args.some((word) => NEEDS_A_PROCESS.test(word));
  // A clock can be handed to a run in this process alone.
  if (isStarted && options.laterMs === undefined) {
    return runProgram(args, options);
  }
  const redactor = new Redactor();
  const stop = SecretKey.onCreate(redactor.take);
  const stdout = captured();
  const stderr = captured();
  const surroundings = {
    argv: [NODE, KEYAUDIT, ...args],
    env: environmentOf(args, options),
    cwd: options.cwd,
    packageRoot: ROOT,
    stdin: Readable.from([Buffer.from(options.input ?? '')]),
    stdout: new GuardedStream(stdout.stream, redactor),
    stderr: new GuardedStream(stderr.stream, redactor),
    redact: redactor.redact,
    hideVariable: () => true,
    now: () => new Date(Date.now() + (options.laterMs ?? 0)),
    signal: new AbortController().signal,
  };
  // commander reads the environment of the process itself, at once when it is called.
  const { env } = process;
  process.env = surroundings.env;
  const running = run(surroundings);
  process.env = env;
  const exitCode = await running;
  stop();
  surroundings.stdout.flush();
  surroundings.stderr.flush();
  return { exitCode, stdout: stdout.text(), stderr: withoutProgress(stderr.text()) };
}

/** How far slow work has come is said every few seconds: whether it is said at all, the machine decides. */
function withoutProgress(stderr: string): string {
  return stderr.replace(/^.*: \d+\/\d+, \d+\/s, \d+ s left.*\n/gm, '');
}

/** Runs the built CLI: for what only a process of its own can show, and for two of them at once. */
export async function runProgram(args: readonly string[], options: CliOptions): Promise<CliRun> {
  const { exitCode, stdout, stderr } = await execa(NODE, [KEYAUDIT, ...args], {
    cwd: options.cwd,
    env: environmentOf(args, options),
    extendEnv: false,
    reject: false,
    input: options.input ?? '',
    stripFinalNewline: false,
  });
  return { exitCode: exitCode ?? -1, stdout, stderr: withoutProgress(stderr) };
}

/** Nothing but what the test gives. */
function environmentOf(args: readonly string[], { cwd, env = {} }: CliOptions): Record<string, string> {
  // The servers of these tests are sandboxes; one that is not said to be is treated as Stripe, with its pace.
  const namesServer = args.includes('--api-base') || 'KEYAUDIT_API_BASE' in env;
  const target: Record<string, string> = namesServer ? { KEYAUDIT_TARGET: 'sandbox' } : {};
  return { PATH: process.env.PATH ?? '', HOME: cwd, NO_COLOR: '1', ...target, ...env };
}

function captured(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}

/** A temporary working folder, removed when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
