import { constants } from 'node:os';
import { execa } from 'execa';
import { parseDuration } from '../core/duration.ts';
import { KeyauditError } from '../core/error.ts';
import { createKey, type PendingKey } from '../keys/make-key.ts';
import { openKeyApi } from '../keys/open-key-api.ts';
import { wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { grantsFor } from '../session/profile-grant.ts';
import { openTarget } from '../targets/open-target.ts';
import { accountOf } from './provision.ts';

export interface ExecOptions {
  /** The profiles, and after `--` the command. */
  readonly profiles: readonly string[];
  readonly command: readonly string[];
  /** Sets `expires_at` as a second net. */
  readonly ttl?: string;
  /** How long a command that was told to end may take before it is killed. */
  readonly killAfter: string;
  readonly account?: string;
}

/** As shells have it. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const SIGNALLED = 128;

/**
 * `keyaudit exec PROFILE… -- COMMAND…`: one key for one run. The child alone sees it; it ends with the
 * command, however that ends, and by the next keyaudit command if this machine dies.
 * @returns the exit code of the command
 */
export async function exec(options: ExecOptions, context: CommandContext): Promise<number> {
  const [command, ...args] = options.command;
  if (command === undefined) {
    throw new KeyauditError('USAGE', 'No command to run.', {
      hint: 'Write it after "--": keyaudit exec refund-agent -- node agent.js',
    });
  }
  const grants = await grantsFor(options, context);
  refuseSharedVariables(grants.map(({ profile }) => profile));
  const ttlMs = options.ttl === undefined ? undefined : parseDuration(options.ttl);
  const killAfterMs = parseDuration(options.killAfter);
  const target = await openTarget(context);
  const pending: PendingKey[] = [];
  try {
    const api = openKeyApi('managed', target, options);
    for (const one of grants) {
      if (context.signal.aborted) throw context.signal.reason;
      const expiresAt = ttlMs === undefined ? {} : { expiresAt: new Date(context.now().getTime() + ttlMs) };
      pending.push(
        await createKey(one, api, target, context, { command: 'exec', ...expiresAt, ...accountOf(options) }),
      );
    }
    for (const { work } of pending) await work.update({ step: 'running' });
    if (context.signal.aborted) throw context.signal.reason;
    const lent = Object.fromEntries(pending.map(({ record, key }) => [record.variable, key.secret.reveal()]));
    // So that an agent that is tried out on the sandbox finds it.
    const base = context.globals.target === 'stripe' ? {} : { KEYAUDIT_API_BASE: target.apiBase };
    return await run(command, args, { ...base, ...lent }, killAfterMs, context);
  } finally {
    await endAll(pending, context);
    await target.close();
  }
}

/** Standard streams, signals and exit code are the child's; the secret key that makes keys is not its business. */
async function run(
  command: string,
  args: readonly string[],
  lent: Readonly<Record<string, string>>,
  killAfterMs: number,
  context: CommandContext,
): Promise<number> {
  const { STRIPE_SECRET_KEY: _secretKey, ...env } = context.env;
  const child = execa(command, args, {
    cwd: context.cwd,
    env: { ...env, ...lent },
    extendEnv: false,
    stdio: 'inherit',
    reject: false,
  });
  let killer: NodeJS.Timeout | undefined;
  const forward = (signal: NodeJS.Signals) => {
    // Ctrl-C on a terminal has reached the child already, as one of the foreground group.
    if (!(signal === 'SIGINT' && context.stdin.isTerminal)) child.kill(signal);
    killer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    const ended = await child;
    if (ended.exitCode !== undefined) return ended.exitCode;
    const { code } = ended as { code?: string };
    if (code === 'ENOENT' || code === 'EACCES') {
      context.stderr.write(
        wrap(
          code === 'ENOENT' ? `error: ${command}: command not found` : `error: ${command}: permission denied`,
          context.stderr,
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

async function endAll(pending: readonly PendingKey[], context: CommandContext): Promise<void> {
  for (const { undo, record } of pending) {
    await undo().catch(() => {
      const text = `warning: ${record.id} could not be ended now; the next keyaudit command ends it.`;
      context.stderr.write(wrap(text, context.stderr));
    });
  }
}

function refuseSharedVariables(profiles: readonly { readonly name: string; readonly env: string }[]): void {
  const byVariable = new Map<string, string>();
  for (const { name, env } of profiles) {
    const other = byVariable.get(env);
    if (other !== undefined) {
      throw new KeyauditError(
        'USAGE',
        `${other} and ${name} share the variable ${env}, so one key would hide the other.`,
        {
          hint: 'Give each profile an "env" of its own.',
        },
      );
    }
    byVariable.set(env, name);
  }
}
