import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, KeyauditError } from '../core/error.ts';
import { errorFormat } from './error-format.ts';
import { GuardedStream } from './guarded-stream.ts';
import { packageVersion, processContext, wantsColour } from './process-context.ts';
import { type Invocation, readCommandLine } from './program.ts';

/**
 * The process: argv, environment, signals, streams and the exit code are seen in this room alone. Each verb is
 * loaded when it is called, so that `--help` costs little more than starting node.
 */
async function main(argv: readonly string[], env: Record<string, string | undefined>): Promise<number> {
  try {
    const reading = await readCommandLine({ argv, env, version: packageVersion(), print: stdout.write });
    if (reading.kind === 'help') return reading.wasAskedFor ? EXIT.ok : EXIT.usage;
    return await perform(reading.invocation);
  } catch (error) {
    return await printError(error);
  }
}

async function perform({ globals, work }: Invocation): Promise<number> {
  const context = processContext(globals, { stdout, stderr, signal: signalOfTheUser() });
  if (existsSync(join(context.cwd, '.keyaudit', 'journal.json'))) {
    const { cleanUp } = await import('../keys/clean-up.ts');
    const { openSession } = await import('../session/session.ts');
    await cleanUp(await openSession(context), { list: globals.cleanup === false });
  }
  return await work(context);
}

/** The first ends the work in order, the second is passed on to what runs, the third ends keyaudit at once. */
const SIGNALS_TO_GIVE_UP = 3;

function giveUp(): never {
  isDone = true;
  process.exit(EXIT.undetermined);
}

/** Aborted on Ctrl-C and SIGTERM. */
function signalOfTheUser(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // Stays registered: a library that cleans up on signals ends the process when nobody else listens.
    let received = 0;
    process.on(name, () => {
      if (++received >= SIGNALS_TO_GIVE_UP) giveUp();
      abort.abort(
        new KeyauditError('INTERRUPTED', `Interrupted (${name}).`, { exitCode: EXIT.undetermined }),
      );
    });
  }
  return abort.signal;
}

/** One error, printed once: what is wrong, where, and what to do; a stack trace only for a bug of ours. */
async function printError(error: unknown): Promise<number> {
  const { renderError } = await import('../report/error.ts');
  stderr.options.styles = wantsColour(process.argv, process.env) && process.stderr.isTTY === true;
  const { text, exitCode } = renderError(error, {
    colour: stderr.options.styles,
    format: errorFormat(process.argv, process.env),
  });
  stderr.write(text);
  return exitCode;
}

/**
 * The exit code when all is said: a result that could not be written is not passed on as a pass. A reader that
 * closed the pipe (`keyaudit … | head`) has chosen so.
 */
async function exitCodeAfter(code: number): Promise<number> {
  stdout.flush();
  // The stream says asynchronously what went wrong with the last write.
  await new Promise((resolve) => setImmediate(resolve));
  const { failure } = stdout;
  if (failure === undefined || failure.code === 'EPIPE') return code;
  await printError(
    new KeyauditError('OUTPUT_UNWRITABLE', `Standard output cannot be written (${failure.code}).`, {
      hint: 'Check that there is room where it goes.',
      exitCode: EXIT.undetermined,
    }),
  );
  return code === EXIT.ok ? EXIT.undetermined : code;
}

const stdout = new GuardedStream(process.stdout);
const stderr = new GuardedStream(process.stderr);
// Until a run has decided better: however it ends, nothing is as it should be.
process.exitCode = EXIT.undetermined;
let isDone = false;
process.on('exit', () => {
  if (!isDone && process.exitCode === EXIT.undetermined) {
    stderr.write('error: keyaudit ended before its work was done.\n');
  }
  stdout.flush();
  stderr.flush();
});
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    isDone = true;
    void printError(error).finally(() => process.exit(EXIT.undetermined));
  });
}
process.exitCode = await exitCodeAfter(await main(process.argv, process.env));
isDone = true;
