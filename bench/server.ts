import { on, once } from 'node:events';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { KEYAUDIT } from './measure.ts';

/** A `keyaudit sandbox` in a process of its own. */
export interface Server {
  readonly url: string;
  readonly secretKey: string;
  /** Processor time that it has taken so far, in µs. */
  processorTime(): Promise<number>;
  /** Its memory as the system counts it, in MiB. */
  residentSet(): Promise<number>;
  stop(): Promise<void>;
}

/** Loaded into the server: it tells its processor time and its memory when asked by a signal. */
const TELLS_COST = `data:text/javascript,${encodeURIComponent(`
  process.on('SIGUSR2', () => {
    const { user, system } = process.cpuUsage();
    process.stderr.write(\`cost \${user + system} \${process.memoryUsage.rss()}\\n\`);
  });
`)}`;

export async function startServer(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Server> {
  const child = execa(
    process.execPath,
    ['--import', TELLS_COST, KEYAUDIT, 'sandbox', '--port', '0', '--format', 'json', ...args],
    { cwd, env, reject: false, buffer: false },
  );
  const notes = createInterface(child.stderr);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url, secretKey } = JSON.parse(line) as { url: string; secretKey: string };
  const cost = async () => {
    child.kill('SIGUSR2');
    for await (const [note] of on(notes, 'line')) {
      const [, time, bytes] = /^cost (\d+) (\d+)$/.exec(note) ?? [];
      if (time !== undefined) return { time: Number(time), bytes: Number(bytes) };
    }
    throw new Error('the sandbox ended');
  };
  return {
    url,
    secretKey,
    processorTime: async () => (await cost()).time,
    residentSet: async () => (await cost()).bytes / 2 ** 20,
    stop: async () => {
      child.kill('SIGTERM');
      await child;
    },
  };
}
