import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

export const KEYAUDIT = fileURLToPath(new URL('../bin/keyaudit.js', import.meta.url));

/** Thrown by a part that cannot be measured here; its message says which one, and why. */
export class LeftOut extends Error {}

/**
 * One line of the bench: what was measured, beside what it is compared with. Times are ratios of two that were taken
 * in turns: an absolute one fails on a slow machine and says nothing on a fast one.
 */
export interface Measurement {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The bound that the project sets itself. */
  readonly bound: { readonly atMost: number } | { readonly atLeast: number };
  readonly note: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** The median of what each round's measure is beside the other's: a shared machine is faster in one than in the next. */
export function medianRatio(values: readonly number[], others: readonly number[]): number {
  return median(values.map((value, round) => value / (others[round] ?? Number.NaN)));
}

/** Wall time of some work, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Processor time of a run of node with `args`, in ms: what other programs of the machine take is not in it. */
export async function processorMs(args: readonly string[], cwd: string, exitCode = 0): Promise<number> {
  const tell =
    "process.on('exit', () => { const { user, system } = process.cpuUsage(); process.stderr.write('\\ntime ' + (user + system)); })";
  const run = await execa(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, ...args],
    { cwd, env: { NO_COLOR: '1' }, reject: false },
  );
  if (run.exitCode !== exitCode)
    throw new Error(`${args.join(' ')} ended with ${run.exitCode}: ${run.stdout.slice(0, 300)}`);
  return Number(/time (\d+)$/.exec(run.stderr)?.[1]) / 1000;
}

/** Runs the built CLI; `ms` is its wall time, `peakMiB` its largest resident set. */
export async function runKeyaudit(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<{ ms: number; peakMiB: number; stdout: string; exitCode: number }> {
  const peak = "process.on('exit', () => process.stderr.write('\\npeak ' + process.resourceUsage().maxRSS))";
  const start = performance.now();
  const run = await execa(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(peak)}`, KEYAUDIT, ...args],
    { cwd, env: { NO_COLOR: '1', ...env }, reject: false },
  );
  const ms = performance.now() - start;
  const kib = Number(/peak (\d+)$/.exec(run.stderr)?.[1]);
  return { ms, peakMiB: kib / 1024, stdout: run.stdout, exitCode: run.exitCode ?? -1 };
}

/** A temporary folder for the time of `work`. */
export async function inTemporaryFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-bench-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
