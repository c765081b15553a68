import { EXIT, KeyauditError } from '../core/error.ts';
import { SecretKey } from '../core/secret-key.ts';
import { Redactor } from '../store/redactor.ts';
import { hideVariable } from './environment/hide-variable.ts';
import { GuardedStream } from './guarded-stream.ts';
import { printError } from './print-error.ts';
import { run, type Surroundings } from './run.ts';

// The process: argv, environment, signals, streams and the exit code are seen in this file, and handed down.

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

// Told of every key before the first is read.
const redactor = new Redactor();
SecretKey.onCreate(redactor.take);
const surroundings: Surroundings = {
  argv: process.argv,
  env: process.env,
  cwd: process.cwd(),
  // This is one folder below it when built.
  packageRoot: `${import.meta.dirname}/../`,
  // Node opens it when it is first asked for; most runs never do.
  get stdin() {
    return process.stdin;
  },
  stdout: new GuardedStream(process.stdout, redactor),
  stderr: new GuardedStream(process.stderr, redactor),
  redact: redactor.redact,
  hideVariable: (name) => hideVariable(name, process.env),
  now: () => new Date(),
  signal: signalOfTheUser(),
};
// Until a run has decided better: however it ends, nothing is as it should be.
process.exitCode = EXIT.undetermined;
let isDone = false;
process.on('exit', () => {
  const { stdout, stderr } = surroundings;
  if (!isDone && process.exitCode === EXIT.undetermined) {
    stderr.write('error: keyaudit ended before its work was done.\n');
  }
  stdout.flush();
  stderr.flush();
});
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    isDone = true;
    void printError(error, surroundings).finally(() => process.exit(EXIT.undetermined));
  });
}
process.exitCode = await run(surroundings);
isDone = true;
