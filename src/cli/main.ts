import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, KeyauditError } from '../core/error.ts';
import { errorFormat } from './error-format.ts';
import { packageVersion, processContext } from './process-context.ts';
import { type Invocation, readCommandLine } from './program.ts';

/**
 * The process: argv, environment, signals, streams and the exit code are seen in this room alone. Each verb is
 * loaded when it is called, so that `--help` costs little more than starting node.
 */
async function main(argv: readonly string[], env: Record<string, string | undefined>): Promise<number> {
  try {
    const reading = await readCommandLine({
      argv,
      env,
      version: packageVersion(),
      print: (help) => process.stdout.write(help),
    });
    if (reading.kind === 'help') return reading.wasAskedFor ? EXIT.ok : EXIT.usage;
    return await perform(reading.invocation);
  } catch (error) {
    return await printError(error);
  }
}

async function perform({ globals, work }: Invocation): Promise<number> {
  const { redactedWriter } = await import('../store/redactor.ts');
  const writers: { flush(): void }[] = [];
  const context = processContext(globals, {
    writerFor: (stream) => {
      const writer = redactedWriter((text) => stream.write(text));
      writers.push(writer);
      return writer.write;
    },
    signal: signalOfTheUser(),
  });
  try {
    const { calibrationFolder } = await import('../store/user-folder.ts');
    if (existsSync(calibrationFolder(context.env))) {
      await (await import('../session/load-catalog.ts')).useCalibration(context);
    }
    if (existsSync(join(context.cwd, '.keyaudit', 'journal.json'))) {
      const { cleanUp } = await import('../keys/clean-up.ts');
      await cleanUp(context, { list: globals.cleanup === false });
    }
    return await work(context);
  } finally {
    for (const writer of writers) writer.flush();
  }
}

/** The first ends the work in order, the second is passed on to what runs, the third ends keyaudit at once. */
const SIGNALS_TO_GIVE_UP = 3;

/** Aborted on Ctrl-C and SIGTERM. */
function signalOfTheUser(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // Stays registered: a library that cleans up on signals ends the process when nobody else listens.
    let received = 0;
    process.on(name, () => {
      if (++received >= SIGNALS_TO_GIVE_UP) process.exit(EXIT.undetermined);
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
  const { redact } = await import('../store/redactor.ts');
  const { text, exitCode } = renderError(error, {
    colour: !process.env.NO_COLOR && process.stderr.isTTY === true,
    format: errorFormat(process.argv, process.env),
  });
  process.stderr.write(redact(text));
  return exitCode;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A closed pipe (`keyaudit … | head`) is the reader's choice, not an error.
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
  throw error;
});
process.exitCode = await main(process.argv, process.env);
