import { join } from 'node:path';
import { EXIT, type ExitCode } from '../core/error.ts';
import type { Dialect } from '../sandbox/refusal.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import type { CommandContext } from './context.ts';
import { loadCatalog } from './load-catalog.ts';
import { requireFormat } from './result-output.ts';

export interface SandboxCommandOptions {
  readonly port: number;
  readonly host: string;
  readonly dialect?: Dialect;
}

/** `keyaudit sandbox`: the stand-in server, until interrupted. Its keys open nothing but itself. */
export async function sandbox(options: SandboxCommandOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  const server = await startSandbox({
    catalog: loadCatalog(),
    stateDir: join(context.cwd, '.keyaudit'),
    ...options,
  });
  // The sandbox's own secret key is printed on purpose: it opens nothing but this server.
  const secretKey = server.secretKey.reveal();
  const text =
    context.globals.format === 'json'
      ? JSON.stringify({ schema: 'keyaudit.sandbox/1', url: server.url, secretKey })
      : `Sandbox at ${server.url}; nothing at Stripe is touched.\nIts secret key: ${secretKey}\nStop it with Ctrl-C.`;
  context.reveal(`${text}\n`);
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.close();
  return EXIT.ok;
}
