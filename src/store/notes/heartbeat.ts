import { mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ageOfNow, guardWrites, openWorkspace, refuseLink, WORKSPACE } from '../workspace.ts';

/** How often work that goes on says so, in ms. */
const BEAT_MS = 1_000;
/** Without a sign of life for so long a process is taken to be frozen or dead, in ms. */
const SILENT_MS = 5_000;
/** After so long without one of its own, a process no longer counts on what it began being its own, in ms. */
const SURE_MS = 4_000;
const LOOK_EVERY_MS = 250;

/** The sign of life of one piece of work: a file whose time moves on while its process does. */
export interface Heartbeat {
  /** Whether nobody can have taken this process for dead yet. */
  isSure(): boolean;
  /** Another sign of life, now. */
  beat(): Promise<void>;
  stop(): Promise<void>;
}

/** Begins to give signs of life, which never keep the process alive by themselves. */
export async function startHeartbeat(cwd: string, token: string): Promise<Heartbeat> {
  const folder = join(await openWorkspace(cwd), FOLDER);
  const file = fileOf(cwd, token);
  await guardWrites(folder, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await refuseLink(folder);
    await writeFile(file, '', { mode: 0o600, flag: 'wx' });
  });
  let age = ageOfNow();
  const beat = async () => {
    const begun = ageOfNow();
    const now = new Date();
    await utimes(file, now, now);
    age = begun;
  };
  const timer = setInterval(() => void beat().catch(() => {}), BEAT_MS);
  timer.unref();
  return {
    isSure: () => age() < SURE_MS,
    beat,
    stop: async () => {
      clearInterval(timer);
      await rm(file, { force: true }).catch(() => {});
    },
  };
}

/** What a look at another's heartbeat showed: when its last sign of life was, undefined where there is none. */
export type Pulse =
  | { readonly isBeating: true }
  | { readonly isBeating: false; readonly last: number | undefined };

/** Looks for a sign of life, for as long as it takes to be sure that none comes. */
export async function feelPulse(cwd: string, token: string | undefined): Promise<Pulse> {
  const last = token === undefined ? undefined : await timeOf(cwd, token);
  if (token === undefined || last === undefined) return { isBeating: false, last: undefined };
  const since = Date.now() - last;
  if (since >= 0 && since < BEAT_MS * 2) return { isBeating: true };
  const age = ageOfNow();
  while (age() < SILENT_MS) {
    await delay(LOOK_EVERY_MS);
    const next = await timeOf(cwd, token);
    if (next !== undefined && next !== last) return { isBeating: true };
  }
  return { isBeating: false, last };
}

/**
 * Ends another's heartbeat, after which it gives no further sign and knows that it was taken for dead.
 * @param last its last sign of life
 * @returns whether there was none since
 */
export async function endHeartbeat(
  cwd: string,
  token: string | undefined,
  last: number | undefined,
): Promise<boolean> {
  if (token === undefined || last === undefined) return true;
  const ended = `${token}.ended`;
  try {
    await rename(fileOf(cwd, token), fileOf(cwd, ended));
  } catch {
    return true;
  }
  if ((await timeOf(cwd, ended)) !== last) {
    await rename(fileOf(cwd, ended), fileOf(cwd, token));
    return false;
  }
  await rm(fileOf(cwd, ended), { force: true });
  return true;
}

const FOLDER = 'running';

function fileOf(cwd: string, token: string): string {
  return join(cwd, WORKSPACE, FOLDER, token);
}

async function timeOf(cwd: string, token: string): Promise<number | undefined> {
  return stat(fileOf(cwd, token)).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}
