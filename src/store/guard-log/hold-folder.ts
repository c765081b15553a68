import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { KeyauditError } from '../../core/error.ts';
import { guardWrites } from '../workspace.ts';

/** The holders of a folder, each with its number; who has the highest holds it, or did when it died. */
const HOLDER = /^held\.(\d{1,15})$/;
/** A socket that is not yet anybody's claim. */
const STARTING = /^starting\.[0-9a-f]+$/;

/** A path of a Unix socket that is longer is cut by some systems, in bytes. */
const LONGEST_SOCKET_PATH = 100;

const MOST_TRIES = 50;

/**
 * Holds a folder for this process alone, for as long as it lives: by a listening Unix socket, which the system takes
 * down with the process, however that ends. A claim is a link with the next number; the highest number is never
 * removed, so that of two processes that find a dead holder only one can come next.
 * @returns lets go of it
 * @throws KeyauditError `GUARD_RUNNING` when another process holds it, `STORE_UNWRITABLE`
 */
export async function holdFolder(folder: string): Promise<() => Promise<void>> {
  return guardWrites(folder, async () => {
    const directory = await open(folder, 'r');
    try {
      const at = (name: string) => socketPath(folder, directory, name);
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const server = await claim(folder, at);
        if (server !== undefined) return () => letGo(server);
      }
    } finally {
      await directory.close();
    }
    throw taken(folder);
  });
}

/** One try. @returns undefined when another process was faster at a step, and one must look again */
async function claim(folder: string, at: (name: string) => string): Promise<Server | undefined> {
  const last = await highest(folder);
  if (last > 0 && (await isListening(at(`held.${last}`)))) throw taken(folder);
  const own = `starting.${randomBytes(6).toString('hex')}`;
  const server = await listen(at(own));
  try {
    await link(join(folder, own), join(folder, `held.${last + 1}`));
    await rm(join(folder, own), { force: true });
    if ((await highest(folder)) === last + 1) {
      await clearUp(folder, at, last);
      return server;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process took the number, or took ours for one that had died.
    if (code !== 'EEXIST' && code !== 'ENOENT') {
      await letGo(server);
      throw error;
    }
  }
  await letGo(server);
  return undefined;
}

async function highest(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map((name) => Number(HOLDER.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

async function clearUp(folder: string, at: (name: string) => string, last: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const number = Number(HOLDER.exec(name)?.[1] ?? 0);
    const isOld = (number > 0 && number <= last) || (STARTING.test(name) && !(await isListening(at(name))));
    if (isOld) await rm(join(folder, name), { force: true });
  }
}

/** Whether a process listens there. What is no certain no is a yes. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      done(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT' && error.code !== 'ENOTSOCK'),
    );
  });
}

function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server.unref()));
  });
}

function letGo(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Linux names a folder by its descriptor, which makes a path of any length short. */
function socketPath(folder: string, directory: FileHandle, name: string): string {
  const path = join(folder, name);
  return Buffer.byteLength(path) > LONGEST_SOCKET_PATH && process.platform === 'linux'
    ? `/proc/self/fd/${directory.fd}/${name}`
    : path;
}

function taken(folder: string): KeyauditError {
  return new KeyauditError('GUARD_RUNNING', `Another process of keyaudit writes the log in ${folder}.`, {
    hint: 'One guard writes a folder: end the other, or start one "keyaudit guard" that all go through.',
  });
}
