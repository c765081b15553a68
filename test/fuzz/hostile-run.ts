import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

/** A user's home and working folder, and a server that nobody named. */
export interface HostilePlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** A server that no command line and no environment names; each connection to it counts. */
  readonly unnamed: { readonly url: string; connections(): number };
  /** Runs a command, and says what is wrong with how it ended; empty when nothing is. */
  run(args: readonly string[]): Promise<string[]>;
}

export async function hostilePlace(env: Readonly<Record<string, string>>): Promise<HostilePlace> {
  const base = await temporaryFolder();
  const cwd = join(base, 'work');
  const home = join(base, 'home');
  for (const folder of [join(cwd, '.keyaudit'), join(cwd, 'profiles'), home]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  const unnamed = await unnamedServer();
  const own = { HOME: home, ...env };
  return {
    cwd,
    env: own,
    unnamed,
    run: async (args) => {
      const before = await filesOutside(base);
      const { exitCode, stdout, stderr } = await runCli(args, { cwd, env: own });
      const problems: string[] = [];
      const all = stdout + stderr;
      if (![0, 1, 2, 3].includes(exitCode)) problems.push(`exit code ${exitCode}`);
      if (/bug in keyaudit|\n\s+at .*:\d+/.test(all)) problems.push(`it crashed: ${stderr.slice(0, 400)}`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to look for
      if (/[\u0000-\u0008\u000b-\u001f\u202e]|^::/m.test(all)) problems.push('it commands the terminal');
      if (unnamed.connections() > 0) problems.push('it asked a server that nobody named');
      for (const [file, digest] of await filesOutside(base))
        if (before.get(file) !== digest) problems.push(`it wrote ${file}`);
      if (existsSync('/tmp/keyaudit-escaped')) problems.push('it wrote outside');
      return problems.map((problem) => `${args.join(' ')}: ${problem}`);
    },
  };
}

async function unnamedServer(): Promise<HostilePlace['unnamed']> {
  let connections = 0;
  const server = createServer((_request, response) => response.end('{}'));
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, connections: () => connections };
}

/** The files that are not keyaudit's to write, with what is in them. */
async function filesOutside(base: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(base, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\/work\/\.keyaudit\/|\/home\/\.config\/keyaudit\//.test(path)) continue;
    found.set(
      path,
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  return found;
}
