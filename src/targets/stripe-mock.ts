import { once } from 'node:events';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { EXIT, KeyauditError } from '../core/error.ts';
import { randomText } from '../sandbox/random-text.ts';
import { STRIPE_MOCK_KEY } from '../sandbox/server-behind.ts';

/** The stripe-mock that keyaudit is tested with; its OpenAPI description changes from version to version. */
export const STRIPE_MOCK_VERSION = 'v0.203.0';

const READY_MS = 10_000;
const DOCKER_MS = 60_000;

/** A stripe-mock that answers. */
export interface StripeMock {
  readonly url: string;
  /** In one word, for notes: where it comes from. */
  readonly from: 'STRIPE_MOCK_URL' | 'PATH' | 'Docker';
  /** Ends it if keyaudit started it. */
  close(): Promise<void>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds a stripe-mock: the one at `STRIPE_MOCK_URL`, else the one on PATH, else Docker's; the last two
 * are started on a free port of this machine and end with keyaudit, however it ends.
 * @throws KeyauditError `STRIPE_MOCK_NOT_FOUND` with how to install it, `STRIPE_MOCK_SILENT`
 */
export async function openStripeMock(env: Environment): Promise<StripeMock> {
  const url = env.STRIPE_MOCK_URL;
  if (url !== undefined && url !== '') return atUrl(url);
  const file = await findOnPath('stripe-mock', env);
  if (file !== undefined) return fromPath(file, env);
  const docker = await findOnPath('docker', env);
  if (docker !== undefined && (await daemonAnswers(docker, env))) return fromDocker(docker, env);
  const message =
    'stripe-mock is neither on PATH nor at STRIPE_MOCK_URL, and no Docker answers. Install it by one of these:';
  throw new KeyauditError('STRIPE_MOCK_NOT_FOUND', message, {
    hint: 'Or set STRIPE_MOCK_URL to one that runs, or use --target sandbox, which needs none.',
    problems: [
      { message: `Go:       go install github.com/stripe/stripe-mock@${STRIPE_MOCK_VERSION}` },
      { message: 'Homebrew: brew install stripe/stripe-mock/stripe-mock' },
      { message: 'Docker:   docker run --rm -p 127.0.0.1:12111:12111 stripe/stripe-mock:latest' },
    ],
  });
}

async function atUrl(text: string): Promise<StripeMock> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== 'http:') {
    throw new KeyauditError('USAGE', 'STRIPE_MOCK_URL is not the http URL of a server.', {
      hint: 'Set it to one such as http://127.0.0.1:12111.',
    });
  }
  if (!(await answers(url.origin))) {
    throw new KeyauditError('STRIPE_MOCK_SILENT', `No stripe-mock answers at ${url.origin}.`, {
      hint: 'Start it there, or unset STRIPE_MOCK_URL and keyaudit looks for one on PATH.',
      exitCode: EXIT.undetermined,
    });
  }
  return { url: url.origin, from: 'STRIPE_MOCK_URL', close: async () => {} };
}

/**
 * Whether a stripe-mock answers there; it says so in a header. The key sent along opens nothing.
 */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/v1/balance`, {
      headers: { authorization: `Bearer ${STRIPE_MOCK_KEY}` },
      redirect: 'manual',
      signal: AbortSignal.timeout(2_000),
    });
    await response.body?.cancel();
    return response.headers.has('stripe-mock-version');
  } catch {
    return false;
  }
}

async function fromPath(file: string, env: Environment): Promise<StripeMock> {
  // Without its own address HTTPS takes port 12112, which only one can have.
  const args = ['-http-addr', '127.0.0.1:0', '-https-addr', '127.0.0.1:0'];
  const child = startTied(file, args, env);
  const port = await Promise.race([
    announcedPort(child),
    child.ended.then(() => undefined),
    delay(READY_MS, undefined, { ref: false }),
  ]);
  const url = `http://127.0.0.1:${port}`;
  if (port === undefined || !(await answersWithin(READY_MS, url, child))) return silent(child, file);
  return { url, from: 'PATH', close: child.end };
}

async function answersWithin(ms: number, url: string, { ended }: Tied): Promise<boolean> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (const until = Date.now() + ms; Date.now() < until && !over; await delay(100)) {
    if (await answers(url)) return true;
  }
  return false;
}

/** `Listening for HTTP at address: 127.0.0.1:44933`. */
async function announcedPort({ stdout }: Tied): Promise<number | undefined> {
  for await (const line of createInterface(stdout)) {
    const match = /HTTP at address: .*:(\d+)\s*$/.exec(line);
    if (match !== null) {
      // What it prints later must not fill the pipe.
      queueMicrotask(() => stdout.resume());
      return Number(match[1]);
    }
  }
  return undefined;
}

async function daemonAnswers(docker: string, env: Environment): Promise<boolean> {
  const run = await execa(docker, ['version', '--format', '{{.Server.Version}}'], {
    ...plain(env),
    reject: false,
    timeout: 5_000,
  });
  return run.exitCode === 0 && run.stdout.trim() !== '';
}

async function fromDocker(docker: string, env: Environment): Promise<StripeMock> {
  const port = await freePort();
  const publish = `127.0.0.1:${port}:12111`;
  // --init: the first process of a container takes no signal that it does not handle.
  const name = `keyaudit-stripe-mock-${randomText(8).toLowerCase()}`;
  const args = ['run', '--rm', '--init', '--name', name, '-p', publish, 'stripe/stripe-mock:latest'];
  const child = startTied(docker, args, env);
  const url = `http://127.0.0.1:${port}`;
  if (!(await answersWithin(DOCKER_MS, url, child))) return silent(child, docker);
  return { url, from: 'Docker', close: child.end };
}

async function silent(child: Tied, file: string): Promise<never> {
  await child.end();
  throw new KeyauditError('STRIPE_MOCK_SILENT', `${file} was started and stripe-mock did not answer.`, {
    hint: `Try it by hand, or install github.com/stripe/stripe-mock@${STRIPE_MOCK_VERSION}.`,
    exitCode: EXIT.undetermined,
  });
}

/** A program that cannot outlive keyaudit. */
interface Tied {
  readonly stdout: NodeJS.ReadableStream;
  readonly ended: Promise<void>;
  readonly end: () => Promise<void>;
}

/**
 * Becomes the program, and leaves behind a watcher that reads a pipe which keyaudit holds open and never
 * writes to: its end is the end of keyaudit, SIGKILL included, and the watcher ends the program.
 */
const WATCHED =
  'exec 3<&0; (trap "" INT; read -r _ <&3; kill $$) >/dev/null 2>&1 & exec "$0" "$@" 3<&- </dev/null';

function startTied(file: string, args: readonly string[], env: Environment): Tied {
  const [command, ...rest] =
    process.platform === 'win32' ? [file, ...args] : ['/bin/sh', '-c', WATCHED, file, ...args];
  const child = execa(command ?? file, rest, {
    ...plain(env),
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
  });
  const ended = child.then(() => {});
  return {
    stdout: child.stdout,
    ended,
    end: async () => {
      child.stdin.end();
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** What a helper program gets to see of the environment: no key, and no PORT, which stripe-mock would obey. */
function plain(env: Environment): { readonly env: Record<string, string>; readonly extendEnv: false } {
  const names = ['PATH', 'HOME', 'DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'SystemRoot', 'PATHEXT'];
  const kept = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { env: Object.fromEntries(kept), extendEnv: false };
}

async function findOnPath(name: string, env: Environment): Promise<string | undefined> {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  for (const folder of (env.PATH ?? '').split(delimiter).filter((one) => one !== '')) {
    for (const ending of endings) {
      const file = join(folder, `${name}${ending}`);
      const found = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return file;
    }
  }
  return undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
