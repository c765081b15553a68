import { existsSync, watch } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { KEYAUDIT, runCli } from '../support/run-cli.ts';
import type { SandboxServer } from '../support/sandbox-server.ts';

export const COMMANDS = ['provision', 'rotate', 'revoke', 'exec'] as const;
export type KilledCommand = (typeof COMMANDS)[number];

/** When the process is killed: at the nth change of a file under `.keyaudit/`, or after some ms. */
export type Moment = { readonly change: number } | { readonly afterMs: number };

interface ActiveKey {
  readonly id: string;
  readonly token: string;
}

/**
 * Runs a command, kills it (SIGKILL) at a moment, runs one further command, and says what is wrong with
 * what is left; empty when all is well.
 */
export async function killAndRecover(
  command: KilledCommand,
  moment: Moment,
  sandbox: SandboxServer,
  name: string,
): Promise<string[]> {
  const cwd = join(tmpdir(), `keyaudit-kill-${process.pid}-${name}`);
  const folder: Folder = {
    cwd,
    sandbox,
    profile: name,
    variable: `STRIPE_${name.toUpperCase().replaceAll('-', '_')}_KEY`,
  };
  await mkdir(join(cwd, 'profiles'), { recursive: true });
  await writeFile(
    join(cwd, 'profiles', `${name}.yaml`),
    `name: ${name}\nenv: ${folder.variable}\npermissions:\n  customers: read\n`,
  );
  try {
    if (command === 'rotate' || command === 'revoke') await keyaudit(['provision', name], folder);
    const args = command === 'exec' ? ['exec', name, '--', 'sleep', '0.3'] : [command, name];
    await killed(args, moment, folder);
    // At the step "begun" a process waits for its turn, and nothing was asked for yet.
    const wasJournalled = (await journalSteps(cwd)).some((step) => step !== 'begun');
    const cleaned = await keyaudit(['keys', 'clean-up'], folder);
    const further = await keyaudit(['keys', 'list', '--format', 'json'], folder);
    // A create whose end nobody saw may still take effect, so it stays in the journal for a day.
    const isLookedFor =
      cleaned.exitCode === 3 && (await journalSteps(cwd)).every((step) => step === 'creating');
    const later = isLookedFor ? await aDayLater(folder) : undefined;
    const problems = [isLookedFor ? later : cleaned, further].flatMap((run) =>
      run === undefined || run.exitCode === 0
        ? []
        : [`${run.command} ended with ${run.exitCode}: ${run.stderr}`],
    );
    if (existsSync(join(cwd, '.keyaudit/journal.json'))) problems.push('the journal is not empty');
    const { keys } = JSON.parse(further.stdout || '{"keys":[]}') as {
      keys: { id: string; status: string }[];
    };
    const active = await activeKeys(sandbox, name);
    const stored = await storedKey(folder);
    return [...problems, ...wrongWith(command, { active, stored, keys, wasJournalled })];
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/** The steps that unfinished work stands at. */
export async function journalSteps(cwd: string): Promise<readonly string[]> {
  const text = await readFile(join(cwd, '.keyaudit/journal.json'), 'utf8').catch(() => '{"entries":[]}');
  return (JSON.parse(text) as { entries: { step: string }[] }).entries.map(({ step }) => step);
}

async function aDayLater({ cwd, sandbox }: Folder) {
  const run = await runCli(['keys', 'clean-up', '--api-base', sandbox.url], {
    cwd,
    env: { STRIPE_SECRET_KEY: sandbox.secretKey },
    laterMs: 25 * 60 * 60 * 1000,
  });
  return { ...run, command: 'keys clean-up, a day later' };
}

interface Folder {
  readonly cwd: string;
  readonly sandbox: SandboxServer;
  readonly profile: string;
  readonly variable: string;
}

interface Left {
  readonly active: readonly ActiveKey[];
  readonly stored: string | undefined;
  readonly keys: readonly { readonly id: string; readonly status: string }[];
  readonly wasJournalled: boolean;
}

function wrongWith(command: KilledCommand, { active, stored, keys, wasJournalled }: Left): string[] {
  const known = new Set(keys.filter((key) => key.status !== 'revoked').map((key) => key.id));
  const problems = active.filter((key) => !known.has(key.id)).map((key) => `unknown key ${key.id}`);
  const isPublished = active.length === 1 && active[0]?.token === stored;
  switch (command) {
    case 'exec':
      if (active.length > 0) problems.push(`${active.length} keys left of exec`);
      break;
    case 'rotate':
      if (!isPublished)
        problems.push(
          `${active.length} keys active, and the stored one is ${stored === undefined ? 'gone' : 'another'}`,
        );
      break;
    case 'provision':
      // Killed before anything was asked for, or after: none, or the published one.
      if (!(active.length === 0 && stored === undefined) && !isPublished) {
        problems.push(`${active.length} keys active, stored: ${stored !== undefined}`);
      }
      break;
    case 'revoke':
      // Once begun it is finished; killed before that, the key is as it was.
      if (wasJournalled && active.length > 0) problems.push('begun, but not revoked');
      if (active.length > 0 && !isPublished) problems.push('neither revoked nor published');
      break;
  }
  return problems;
}

async function killed(args: readonly string[], moment: Moment, folder: Folder): Promise<void> {
  const dir = join(folder.cwd, '.keyaudit');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const child = spawn(args, folder);
  const kill = () => {
    child.kill('SIGKILL');
  };
  if ('afterMs' in moment) {
    const timer = setTimeout(kill, moment.afterMs);
    await child;
    clearTimeout(timer);
    return;
  }
  let changes = 0;
  const watcher = watch(dir, () => {
    if (++changes === moment.change) kill();
  });
  await child;
  watcher.close();
}

function spawn(args: readonly string[], { cwd, sandbox }: Folder) {
  return execa(
    process.execPath,
    [KEYAUDIT, args[0] as string, '--target', 'sandbox', '--api-base', sandbox.url, ...args.slice(1)],
    {
      cwd,
      env: { PATH: process.env.PATH ?? '', HOME: cwd, NO_COLOR: '1', STRIPE_SECRET_KEY: sandbox.secretKey },
      extendEnv: false,
      reject: false,
    },
  );
}

async function keyaudit(args: readonly string[], folder: Folder) {
  const { exitCode, stdout, stderr } = await spawn(args, folder);
  return { command: args.join(' '), exitCode, stdout, stderr };
}

async function activeKeys({ url, secretKey }: SandboxServer, profile: string): Promise<ActiveKey[]> {
  const found: ActiveKey[] = [];
  let path: string | null = '/v2/iam/api_keys?limit=100';
  while (path !== null) {
    const response = await fetch(`${url}${path}`, {
      headers: { authorization: `Bearer ${secretKey}`, 'stripe-version': '2026-08-26.preview' },
    });
    const page = (await response.json()) as {
      data: { id: string; name: string; secret_key: { token: string } }[];
      next_page_url: string | null;
    };
    for (const { id, name, secret_key } of page.data) {
      if (name.startsWith(`keyaudit/${profile}/`)) found.push({ id, token: secret_key.token });
    }
    path = page.next_page_url;
  }
  return found;
}

async function storedKey({ cwd, variable }: Folder): Promise<string | undefined> {
  const text = await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8').catch(() => '');
  return new RegExp(`^${variable}=(.+)$`, 'm').exec(text)?.[1];
}
