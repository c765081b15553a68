import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CommandContext, Output } from '../session/context.ts';
import { globalOptions, type ProgramOptions } from './globals.ts';

/** Where the package lies; this is one folder below it when built. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url));

export function packageVersion(): string {
  return (JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as { version: string }).version;
}

/** The process as a command sees it. */
export function processContext(
  options: ProgramOptions,
  {
    writerFor,
    signal,
  }: {
    readonly writerFor: (stream: NodeJS.WriteStream) => (text: string) => void;
    readonly signal: AbortSignal;
  },
): CommandContext {
  const colourWanted = options.color !== false && !process.env.NO_COLOR;
  const output = (stream: NodeJS.WriteStream): Output => ({
    write: writerFor(stream),
    // A terminal without a width (a container's) takes lines: a spinner would erase for ever.
    isTerminal: stream.isTTY === true && stream.columns > 0,
    columns: stream.columns || Number(process.env.COLUMNS) || undefined,
    colour: colourWanted && (stream.isTTY === true || Boolean(process.env.FORCE_COLOR)),
  });
  return {
    cwd: process.cwd(),
    env: process.env,
    packageRoot,
    version: packageVersion(),
    globals: globalOptions(options),
    stdout: output(process.stdout),
    reveal: (text) => process.stdout.write(text),
    stderr: output(process.stderr),
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
    signal,
  };
}
