import { resolve } from 'node:path';
import { Catalog } from '../core/catalog/catalog.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { parseBehaviour } from '../sandbox/faults/behaviour.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import type { CommandContext } from '../session/context.ts';
import { requireFormat } from '../session/result-output.ts';
import { readBehaviour } from '../targets/read-behaviour.ts';
import { readSeedFile } from '../targets/read-seed-file.ts';

export interface SandboxCommandOptions {
  readonly port: number;
  readonly host: string;
  readonly behaviour?: string;
  /** `name=value`, each over the file's. */
  readonly set: readonly string[];
  readonly dialect?: string;
  readonly upstream?: 'stripe-mock';
  /** A folder that keeps the objects. */
  readonly data?: string;
  /** A YAML file of objects to start with. */
  readonly seed?: string;
}

/** `keyaudit sandbox`: the stand-in server, until interrupted. Its keys open nothing but itself. */
export async function sandbox(options: SandboxCommandOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  const fromFile = await readBehaviour(
    options.behaviour ?? context.env.KEYAUDIT_SANDBOX_BEHAVIOUR,
    context.cwd,
  );
  const settings = Object.fromEntries(options.set.map(settingOf));
  const dialect = options.dialect === undefined ? {} : { dialect: options.dialect };
  const behaviour = parseBehaviour({ ...fromFile, ...settings, ...dialect }, '--set');
  if (options.upstream !== undefined && (options.data ?? options.seed) !== undefined) {
    throw new KeyauditError(
      'USAGE',
      'stripe-mock keeps no objects, so there is nothing for --data or --seed.',
      {
        hint: 'Leave out --upstream.',
      },
    );
  }
  const seed = options.seed === undefined ? undefined : await readSeedFile(options.seed, context.cwd);
  const mock =
    options.upstream === undefined
      ? undefined
      : await (await import('../targets/stripe-mock.ts')).openStripeMock(context.env);
  try {
    const server = await startSandbox({
      catalog: new Catalog(catalogData),
      cwd: context.cwd,
      host: options.host,
      port: options.port,
      behaviour,
      seed,
      data: options.data === undefined ? undefined : resolve(context.cwd, options.data),
      upstream: mock?.url,
    });
    for (const note of server.notes) context.stderr.write(`${note}\n`);
    const secretKey = server.shownSecretKey;
    const what =
      mock === undefined ? 'Sandbox' : `Sandbox, with stripe-mock from ${mock.from} behind it (${mock.url}),`;
    const text =
      context.globals.format === 'json'
        ? JSON.stringify({ schema: 'keyaudit.sandbox/1', url: server.url, secretKey })
        : `${what} at ${server.url}; nothing at Stripe is touched.\nIts secret key: ${secretKey}\nStop it with Ctrl-C.`;
    context.writeUnredacted(`${text}\n`);
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) resolve();
      context.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await server.close();
  } finally {
    await mock?.close();
  }
  return EXIT.ok;
}

/** `latencyMs=100`, `blind=["charges.create"]`: the value is JSON, or else a text. */
function settingOf(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new KeyauditError('USAGE', `"${text}" sets nothing.`, {
      hint: 'Write --set name=value, such as --set latencyMs=100.',
    });
  }
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}
