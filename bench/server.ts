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
  stop(): Promise<void>;
}

/** Loaded into the server: it tells its processor time when asked by a signal. */
const TELLS_TIME = `data:text/javascript,${encodeURIComponent(`
  process.on('SIGUSR2', () => {
    const { user, system } = process.cpuUsage();
    process.stderr.write(\`time \${user + system}\\n\`);
  });
`)}`;

export async function startServer(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Server> {
  const child = execa(
    process.execPath,
    ['--import', TELLS_TIME, KEYAUDIT, 'sandbox', '--port', '0', '--format', 'json', ...args],
    { cwd, env, reject: false, buffer: false },
  );
  const notes = createInterface(child.stderr);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url, secretKey } = JSON.parse(line) as { url: string; secretKey: string };
  return {
    url,
    secretKey,
    processorTime: async () => {
      child.kill('SIGUSR2');
      for await (const [note] of on(notes, 'line')) {
        const time = /^time (\d+)$/.exec(note)?.[1];
        if (time !== undefined) return Number(time);
      }
      throw new Error('the sandbox ended');
    },
    stop: async () => {
      child.kill('SIGTERM');
      await child;
    },
  };
}
