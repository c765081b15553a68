import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

export const KEYAUDIT = fileURLToPath(new URL('../bin/keyaudit.js', import.meta.url));

/** One line of the bench: what was measured, beside what it is compared with or bound by. */
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

/** Wall time of some work, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Wall time of `node -e 0`, in ms: what a process costs on this machine at this moment. */
export async function bareNodeMs(): Promise<number> {
  return timed(() => execa(process.execPath, ['-e', '0']));
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
