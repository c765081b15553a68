import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CommandContext, Output } from '../session/context.ts';
import { globalOptions, type ProgramOptions } from './globals.ts';
import type { GuardedStream } from './guarded-stream.ts';

/** Where the package lies; this is one folder below it when built. */
const packageRoot = fileURLToPath(new URL('..', import.meta.url));

export function packageVersion(): string {
  return (JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as { version: string }).version;
}

/** Whether colours are wanted where they can be shown. */
export function wantsColour(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const end = argv.indexOf('--');
  return !argv.slice(0, end < 0 ? undefined : end).includes('--no-color') && !env.NO_COLOR;
}

/** The process as a command sees it. */
export function processContext(
  options: ProgramOptions,
  streams: {
    readonly stdout: GuardedStream;
    readonly stderr: GuardedStream;
    /** Aborted when the user ends the run. */
    readonly signal: AbortSignal;
  },
): CommandContext {
  const { argv, env } = process;
  const output = (guarded: GuardedStream, stream: NodeJS.WriteStream): Output => {
    const colour = wantsColour(argv, env) && (stream.isTTY === true || Boolean(env.FORCE_COLOR));
    guarded.options.styles = colour;
    return {
      write: guarded.write,
      // A terminal without a width (a container's) takes lines: a spinner would erase for ever.
      isTerminal: stream.isTTY === true && stream.columns > 0,
      columns: stream.columns || Number(env.COLUMNS) || undefined,
      colour,
    };
  };
  streams.stdout.options.annotations =
    options.format === 'github' || argv.some((word) => /^(?:--report=)?github=-$/.test(word));
  return {
    cwd: process.cwd(),
    env: process.env,
    packageRoot,
    version: packageVersion(),
    globals: globalOptions(options),
    stdout: output(streams.stdout, process.stdout),
    writeUnredacted: streams.stdout.unredacted,
    stderr: output(streams.stderr, process.stderr),
    stdin: {
      isTerminal: process.stdin.isTTY === true,
      async readText() {
        const chunks: Buffer[] = [];
        for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
        return Buffer.concat(chunks).toString('utf8');
      },
      ask: async (question) => (await import('../session/ask.ts')).ask(question),
      readSecret: async (prompt) => (await import('../session/read-secret.ts')).readSecret(prompt),
    },
    now: () => new Date(),
    signal: streams.signal,
  };
}
