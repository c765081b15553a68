import { access, constants, lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, type ExitCode } from '../core/error.ts';
import { nextCommand } from '../core/next-command.ts';
import { type DoctorCheck, doctorJson, doctorTable } from '../report/guard/doctor.ts';
import type { CommandContext } from '../session/context.ts';
import { guardSocket } from '../session/guard/guard-client.ts';
import { resolveGrants } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';
import { guardLogFolder } from '../store/guard-log/guard-folder.ts';
import { probeDisk } from '../store/guard-log/probe-disk.ts';
import { readGuardLog } from '../store/guard-log/read-guard-log.ts';
import { verifyGuardLog } from '../store/guard-log/verify-guard-log.ts';
import { openWorkspace } from '../store/workspace.ts';

export interface DoctorOptions {
  /** Profiles that the guard serves or is to serve. */
  readonly profiles: readonly string[];
}

/** A clock that is behind the log by more makes the guard refuse, in ms. */
const MOST_BEHIND_MS = 1_000;
/** A sync that takes longer makes every call that moves money slow, in ms. */
const SLOW_SYNC_MS = 20;

/**
 * `keyaudit guard doctor`: what is wrong around a guard; best run as the user that the agents run as.
 * @returns 1 where something is, 3 where something could not be told
 */
export async function guardDoctor({ profiles }: DoctorOptions, context: CommandContext): Promise<ExitCode> {
  const checks = [
    await user(context),
    await keys(context),
    await clock(context),
    await disk(context),
    await log(context),
    ...(await sections(profiles, context)),
    await mcp(context),
  ];
  await printResult(context, {
    json: doctorJson(checks),
    table: (output) => doctorTable(checks, output),
  });
  if (checks.some(({ state }) => state === 'bad')) return EXIT.findings;
  return checks.some(({ state }) => state === 'unknown') ? EXIT.undetermined : EXIT.ok;
}

async function user({ cwd }: CommandContext): Promise<DoctorCheck> {
  const socket = await lstat(guardSocket(cwd)).catch(() => undefined);
  const me = process.getuid?.();
  if (socket === undefined || me === undefined)
    return {
      name: 'user',
      state: 'unknown',
      text: 'no guard of this folder can be seen, so nobody can say whose it is.',
    };
  return socket.uid === me
    ? {
        name: 'user',
        state: 'bad',
        text: 'the guard runs as you. If your agents do too, they can read its memory and its files: give it a user or a container of its own (docs/guard.md).',
      }
    : { name: 'user', state: 'ok', text: 'the guard runs as another user than you.' };
}

async function keys({ cwd, env }: CommandContext): Promise<DoctorCheck> {
  const variables = Object.entries(env).flatMap(([name, value]) =>
    /^(?:sk|rk)_(?:test|live|org)_/.test(value?.trim() ?? '') ? [name] : [],
  );
  const file = join(cwd, '.keyaudit', 'keys.env');
  const isReadable = await access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
  const found = [...variables, ...(isReadable ? [file] : [])];
  return found.length === 0
    ? {
        name: 'keys',
        state: 'ok',
        text: 'no Stripe key stands in this environment or in keys.env of this folder.',
      }
    : {
        name: 'keys',
        state: 'bad',
        text: `a Stripe key can be reached from here (${found.join(', ')}); an agent that is started here goes around the guard with it.`,
      };
}

async function clock({ cwd, now }: CommandContext): Promise<DoctorCheck> {
  let last = 0;
  await readGuardLog(guardLogFolder(cwd), (_row, _hash, at) => {
    last = Math.max(last, at);
  });
  const behind = last - now().getTime();
  if (last === 0) return { name: 'clock', state: 'unknown', text: 'there is no row yet to compare it with.' };
  return behind > MOST_BEHIND_MS
    ? {
        name: 'clock',
        state: 'bad',
        text: `it is ${Math.ceil(behind / 1_000)} s behind the last row of the log.`,
      }
    : { name: 'clock', state: 'ok', text: 'it is not behind the log.' };
}

async function disk({ cwd }: CommandContext): Promise<DoctorCheck> {
  // With its .gitignore; where that cannot be made the probe says why.
  await openWorkspace(cwd).catch(() => undefined);
  const { syncMs, failure, forgetful } = await probeDisk(guardLogFolder(cwd));
  if (failure !== undefined)
    return { name: 'disk', state: 'bad', text: `the folder of the log cannot be written (${failure}).` };
  const took = `a sync takes ${(syncMs ?? 0).toFixed(1)} ms`;
  if (forgetful !== undefined)
    return { name: 'disk', state: 'bad', text: `the log lies on ${forgetful}; ${took}.` };
  return (syncMs ?? 0) > SLOW_SYNC_MS
    ? { name: 'disk', state: 'bad', text: `${took}, and every call that moves money waits for one.` }
    : { name: 'disk', state: 'ok', text: `${took}.` };
}

async function log({ cwd }: CommandContext): Promise<DoctorCheck> {
  const { problems, unknown, rows } = await verifyGuardLog(guardLogFolder(cwd));
  const [why] = [...problems, ...unknown];
  if (why === undefined) return { name: 'log', state: 'ok', text: `it is intact (${rows} rows).` };
  return { name: 'log', state: problems.length > 0 ? 'bad' : 'unknown', text: `${why}.` };
}

async function sections(
  profiles: readonly string[],
  context: CommandContext,
): Promise<readonly DoctorCheck[]> {
  if (profiles.length === 0)
    return [
      { name: 'profile', state: 'note', text: 'name the profiles that are served to have them looked at.' },
    ];
  const session = await openSession(context);
  const grants = await resolveGrants({ profiles }, session);
  const locked = await readFile(join(context.cwd, 'keyaudit.lock.yaml'), 'utf8').catch(() => '');
  return grants.map(({ profile: { name, guard } }): DoctorCheck => {
    if (guard === undefined)
      return {
        name: 'profile',
        state: 'bad',
        text: `${name} has no "guard" section; the guard does not serve it.`,
      };
    const isLocked = new RegExp(`^ +${name}:`, 'm').test(locked);
    return isLocked
      ? { name: 'profile', state: 'ok', text: `${name} has caps, and its key was verified and locked.` }
      : {
          name: 'profile',
          state: 'unknown',
          text: `${name} is in no lock file; "${nextCommand(`keyaudit lock ${name}`, context.globals.place)}" verifies its key.`,
        };
  });
}

/** Files in which an agent says what it is made of. */
const MADE_OF = [
  'package.json',
  'requirements.txt',
  'pyproject.toml',
  '.mcp.json',
  '.cursor/mcp.json',
  '.vscode/mcp.json',
];

async function mcp({ cwd }: CommandContext): Promise<DoctorCheck> {
  const texts = await Promise.all(
    MADE_OF.map(async (name) => [name, await readFile(join(cwd, name), 'utf8').catch(() => '')] as const),
  );
  const found = texts.filter(([, text]) =>
    /mcp\.stripe\.com|@stripe\/(?:mcp|agent-toolkit)|stripe[-_]agent[-_]toolkit/.test(text),
  );
  const known =
    "Stripe's agent toolkit and its MCP server talk to mcp.stripe.com: agents that use them are not guarded";
  return found.length === 0
    ? { name: 'mcp', state: 'note', text: `${known}.` }
    : {
        name: 'mcp',
        state: 'bad',
        text: `${known}, and ${found.map(([name]) => name).join(', ')} names them.`,
      };
}
