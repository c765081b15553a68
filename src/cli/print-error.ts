import { KeyauditError } from '../core/error.ts';
import { withPlace } from '../core/next-command.ts';
import { wantsColour } from './command-context.ts';
import { errorFormat } from './error-format.ts';
import { placeWords } from './project/place-words.ts';
import type { Surroundings } from './run.ts';

/** One error, printed once: what is wrong, where, and what to do; a stack trace only for a bug of ours. */
export async function printError(
  error: unknown,
  { argv, env, stderr }: Pick<Surroundings, 'argv' | 'env' | 'stderr'>,
): Promise<number> {
  const { renderError } = await import('../report/error.ts');
  stderr.options.styles = wantsColour(argv, env) && stderr.isTerminal;
  const { text, exitCode } = renderError(withPlaceIn(error, placeWords(argv)), {
    colour: stderr.options.styles,
    format: errorFormat(argv, env),
  });
  stderr.write(text);
  return exitCode;
}

/** An error whose hints say where the commands that they propose are to work. */
function withPlaceIn(error: unknown, place: readonly string[]): unknown {
  if (!(error instanceof KeyauditError) || place.length === 0) return error;
  const { code, message, hint, exitCode, problems, cause } = error;
  const said = (text: string | undefined) => (text === undefined ? undefined : withPlace(text, place));
  return new KeyauditError(code, withPlace(message, place), {
    hint: said(hint),
    exitCode,
    cause,
    problems: problems.map((problem) => ({ ...problem, hint: said(problem.hint) })),
  });
}
