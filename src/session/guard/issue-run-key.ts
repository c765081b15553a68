import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseDuration } from '../../core/duration.ts';
import { KeyauditError } from '../../core/error.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import { makeRunKey } from '../../guard/run-key.ts';
import { DEFAULT_STORE } from '../../store/secrets/env-file-store.ts';
import { openStore } from '../../store/secrets/open-store.ts';
import { openWorkspace, WORKSPACE } from '../../store/workspace.ts';
import type { CommandContext } from '../context.ts';
import { type AskGuard, guardOf } from './guard-client.ts';

export interface IssueOptions {
  readonly profile: string;
  readonly run?: string;
  readonly ttl?: string;
  /** Amounts such as `100.00 usd`: the run's own caps. */
  readonly cap: readonly string[];
  /** `name=value` each. */
  readonly label: readonly string[];
  /** Operations that may be repeated in this run. */
  readonly mayRepeat: readonly string[];
  /** After so long its counters per run begin anew. */
  readonly roll?: string;
  readonly store?: string;
  readonly reveal?: boolean;
}

/** A run that was begun; its key is where it was put. */
export interface IssuedRun {
  readonly run: string;
  readonly variable: string;
  readonly place: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** A run with its key, for who lends it on. */
export interface BegunRun {
  readonly run: string;
  readonly variable: string;
  readonly key: SecretKey;
  readonly expiresAt: string;
}

/**
 * Makes a run key, has the guard know its digest, and puts it where the agent finds it.
 * @throws KeyauditError `GUARD_NOT_RUNNING`, `GUARD_REFUSED`, `STORE_UNKNOWN`, `REVEAL_NEEDED`, `USAGE`
 */
export async function issueRunKey(
  { reveal, ...options }: IssueOptions,
  context: CommandContext,
): Promise<IssuedRun> {
  const { cwd, env, globals, stderr, writeUnredacted } = context;
  const run = options.run ?? newRun();
  await openWorkspace(cwd);
  let begun: BegunRun | undefined;
  const shown = (variable: string, secret: string) => {
    if (globals.format !== 'json') return `${variable}=${secret}\n`;
    const { profile } = options;
    const line = { schema: 'keyaudit.run-key/1', run, profile, key: secret, expiresAt: begun?.expiresAt };
    return `${JSON.stringify(line)}\n`;
  };
  const store = openStore(options.store ?? `env-file:${join(WORKSPACE, 'guard', `${run}.env`)}`, {
    cwd,
    env,
    reveal: reveal === true ? writeUnredacted : undefined,
    shown,
    log: stderr.write,
  });
  if (store.place === DEFAULT_STORE) {
    throw new KeyauditError('USAGE', `${DEFAULT_STORE} holds the Stripe keys, and a run key is none.`, {
      hint: 'Leave --store out, or name another file: --store env-file:PATH.',
    });
  }
  begun = await beginRun({ ...options, run }, guardOf(cwd));
  const { variable, key, expiresAt } = begun;
  await store.put(variable, key, options.profile);
  return { run, variable, place: store.place, expiresAt };
}

/** Makes a run key and has the guard know its digest. */
export async function beginRun(
  { profile, run = newRun(), ttl, cap, label, mayRepeat, roll }: Omit<IssueOptions, 'store' | 'reveal'>,
  ask: AskGuard,
): Promise<BegunRun> {
  const { profiles } = await ask('status', {});
  const served = profiles.find((one) => one.profile === profile);
  if (served === undefined) {
    throw new KeyauditError('GUARD_REFUSED', `The guard does not serve ${profile}.`, {
      hint: `It serves ${profiles.map((one) => one.profile).join(', ')}.`,
    });
  }
  if (!/^[\w.-]{1,64}$/.test(run) || profiles.some((one) => one.profile === run)) {
    throw new KeyauditError('USAGE', `"${run}" cannot be the name of a run.`, {
      hint: 'Take letters, digits, "_", "-" and ".", 64 at most, and no name of a profile.',
    });
  }
  const { key, digest } = makeRunKey(served.mode);
  const { expiresAt } = await ask('issue', {
    profile,
    run,
    key: digest,
    caps: [...cap],
    labels: labelsOf(label),
    repeats: [...mayRepeat],
    ...(ttl === undefined ? {} : { ttlMs: parseDuration(ttl) }),
    ...(roll === undefined ? {} : { rollMs: parseDuration(roll) }),
  });
  return { run, variable: served.variable, key, expiresAt: new Date(expiresAt).toISOString() };
}

function newRun(): string {
  return `run_${randomBytes(6).toString('hex')}`;
}

function labelsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) {
        throw new KeyauditError('USAGE', `"${text}" is no label.`, { hint: 'Write --label name=value.' });
      }
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
