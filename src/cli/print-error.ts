import { wantsColour } from './command-context.ts';
import { errorFormat } from './error-format.ts';
import type { Surroundings } from './run.ts';

/** One error, printed once: what is wrong, where, and what to do; a stack trace only for a bug of ours. */
export async function printError(
  error: unknown,
  { argv, env, stderr }: Pick<Surroundings, 'argv' | 'env' | 'stderr'>,
): Promise<number> {
  const { renderError } = await import('../report/error.ts');
  stderr.options.styles = wantsColour(argv, env) && stderr.isTerminal;
  const { text, exitCode } = renderError(error, {
    colour: stderr.options.styles,
    format: errorFormat(argv, env),
  });
  stderr.write(text);
  return exitCode;
}
