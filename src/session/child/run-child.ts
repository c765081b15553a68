import { constants } from 'node:os';
import { execa } from 'execa';
import { LONGEST_TIMER_MS } from '../../core/duration.ts';
import { wrap } from '../../report/text.ts';
import type { Session } from '../session.ts';

/** As shells have it. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const SIGNALLED = 128;

/** How a command is run. */
export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** All that it sees of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long it may take to end after it was told to, before it is killed, in ms. */
  readonly killAfterMs: number;
  /** Told the process id, if it could be started. */
  readonly started?: (pid: number) => void;
}

/**
 * Runs a command with this process's standard streams, hands signals on to it, and returns its exit code as shells
 * have it: 126 and 127 where it cannot be started, 128 and the signal's number where one ended it.
 */
export async function runChild(
  { command, args, env, killAfterMs, started }: ChildOptions,
  { from: cwd, stdin, stderr }: Pick<Session, 'from' | 'stdin' | 'stderr'>,
): Promise<number> {
  const child = execa(command, args, {
    cwd,
    env,
    extendEnv: false,
    stdio: 'inherit',
    reject: false,
  });
  if (child.pid !== undefined) started?.(child.pid);
  let killer: NodeJS.Timeout | undefined;
  const forward = (signal: NodeJS.Signals) => {
    // Ctrl-C on a terminal has reached the child already, as one of the foreground group.
    if (!(signal === 'SIGINT' && stdin.isTerminal)) child.kill(signal);
    killer ??= setTimeout(() => child.kill('SIGKILL'), Math.min(killAfterMs, LONGEST_TIMER_MS));
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    const ended = await child;
    if (ended.exitCode !== undefined) return ended.exitCode;
    const { code } = ended as { code?: string };
    if (code === 'ENOENT' || code === 'EACCES') {
      stderr.write(
        wrap(
          code === 'ENOENT' ? `error: ${command}: command not found` : `error: ${command}: permission denied`,
          stderr,
        ),
      );
      return code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE;
    }
    return SIGNALLED + (ended.signal === undefined ? 0 : (constants.signals[ended.signal] ?? 0));
  } finally {
    clearTimeout(killer);
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
