import type { CommandContext, Output, Project } from '../session/context.ts';
import { globalOptions, type ProgramOptions } from './globals.ts';
import type { GuardedStream } from './guarded-stream.ts';
import type { Surroundings } from './run.ts';

/** Whether colours are wanted where they can be shown. */
export function wantsColour(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const end = argv.indexOf('--');
  return !argv.slice(0, end < 0 ? undefined : end).includes('--no-color') && !env.NO_COLOR;
}

/** Narrower than this what is drawn is broken where nobody can read it. */
const NARROWEST_DRAWN = 40;

/** Whether what is drawn can be drawn anew on the terminal, and read there; ACCESSIBLE asks for plain lines. */
function canDraw(
  stdin: Surroundings['stdin'],
  { isTerminal, columns }: GuardedStream,
  env: Surroundings['env'],
): stdin is NodeJS.ReadStream {
  const isWide = isTerminal && columns >= NARROWEST_DRAWN;
  const wantsLines = env.TERM === 'dumb' || !/^(?:|0|false)$/.test(env.ACCESSIBLE ?? '');
  return stdin.isTTY === true && isWide && !wantsLines;
}

/** The surroundings of a run as a command sees them. */
export function commandContext(
  options: ProgramOptions,
  version: string,
  {
    argv,
    env,
    cwd,
    packageRoot,
    stdin,
    stdout,
    stderr,
    redact,
    hideVariable,
    now,
    signal,
    folder,
    project,
  }: Surroundings & { readonly folder: string; readonly project: Project },
): CommandContext {
  const output = (guarded: GuardedStream): Output => {
    const colour = wantsColour(argv, env) && (guarded.isTerminal || Boolean(env.FORCE_COLOR));
    guarded.options.styles = colour;
    return {
      write: guarded.write,
      // A terminal without a width (a container's) takes lines: a spinner would erase for ever.
      isTerminal: guarded.isTerminal && guarded.columns > 0,
      columns: guarded.columns || Number(env.COLUMNS) || undefined,
      colour,
    };
  };
  stdout.options.annotations =
    options.format === 'github' || argv.some((word) => /^(?:--report=)?github=-$/.test(word));
  return {
    cwd: folder,
    from: cwd,
    env,
    packageRoot,
    project,
    version,
    globals: { ...globalOptions(options, argv), cleanup: options.cleanup },
    stdout: output(stdout),
    redact,
    hideVariable,
    writeUnredacted: stdout.unredacted,
    stderr: output(stderr),
    stdin: {
      isTerminal: stdin.isTTY === true,
      readText: async () => (await import('./read-input.ts')).readInput(stdin),
      ask: async (question) =>
        (await import('../session/prompts/ask.ts')).ask(question, { stdin, stderr: stderr.stream }),
      drawnPrompts: async () => {
        if (!canDraw(stdin, stderr, env)) return undefined;
        const { drawnPrompts } = await import('../session/prompts/drawn-prompts.ts');
        return drawnPrompts({ stdin, stderr: stderr.stream, colour: wantsColour(argv, env), signal });
      },
      readSecret: async (prompt) =>
        (await import('../session/prompts/secret-prompt.ts')).readSecret(
          prompt,
          { stdin, stderr: stderr.stream },
          signal,
        ),
      openSecretPrompt: async () =>
        (await import('../session/prompts/secret-prompt.ts')).openSecretPrompt(
          { stdin, stderr: stderr.stream },
          signal,
        ),
    },
    now,
    signal,
  };
}
