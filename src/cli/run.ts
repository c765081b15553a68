import { version } from '../../package.json' with { type: 'json' };
import { EXIT, KeyauditError } from '../core/error.ts';
import type { Settings } from '../core/settings/settings.ts';
import { projectFolder } from '../store/settings/project-folder.ts';
import { commandContext } from './command-context.ts';
import type { GuardedStream } from './guarded-stream.ts';
import { printError } from './print-error.ts';
import { type Invocation, readCommandLine } from './program.ts';
import { fromProject } from './project/project-paths.ts';

/** All that a run sees of the world around it. */
export interface Surroundings {
  /** As in `process.argv`: what is meant for keyaudit begins with the third. */
  readonly argv: readonly string[];
  /** Variables without a value, and switches that are off, are deleted from it. */
  readonly env: Record<string, string | undefined>;
  readonly cwd: string;
  /** Where the package lies, with a `/` at its end. */
  readonly packageRoot: string;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: GuardedStream;
  readonly stderr: GuardedStream;
  /** Takes out every secret that is read while it runs. */
  readonly redact: (text: string) => string;
  /** Keeps a variable's value from other processes of this user; false where that cannot be done. */
  readonly hideVariable: (name: string) => boolean;
  readonly now: () => Date;
  /** Aborted when the user ends the run. */
  readonly signal: AbortSignal;
}

/**
 * One run of keyaudit, from words to exit code. It sees nothing of the process but what it is handed; each verb is
 * loaded when it is called, so that `--help` costs little more than starting node.
 */
export async function run(surroundings: Surroundings): Promise<number> {
  const { argv, env, cwd, stdout } = surroundings;
  let exitCode: number;
  try {
    const found = projectFolder(cwd, env);
    const project = found ?? cwd;
    const reading = await readCommandLine({
      argv,
      env,
      version,
      print: stdout.write,
      settings: async () => (found === undefined ? undefined : readSettings(found, cwd)),
      paths: (options) => fromProject(options, cwd, project),
    });
    if (reading.kind === 'help') exitCode = reading.wasAskedFor ? EXIT.ok : EXIT.usage;
    else exitCode = await perform(reading.invocation, project, surroundings);
  } catch (error) {
    exitCode = await printError(error, surroundings);
  }
  return exitCodeAfter(exitCode, surroundings);
}

async function perform(
  { globals, project, work }: Invocation,
  folder: string,
  surroundings: Surroundings,
): Promise<number> {
  return work(commandContext(globals, version, { ...surroundings, folder, project }));
}

/** Loaded only where there is one: reading YAML costs a tenth of a start. */
async function readSettings(folder: string, from: string): Promise<Settings> {
  return (await import('../store/settings/settings-file.ts')).readSettingsFile(folder, from);
}

/**
 * The exit code when all is said: a result that could not be written is not passed on as a pass. A reader that
 * closed the pipe (`keyaudit … | head`) has chosen so.
 */
async function exitCodeAfter(code: number, surroundings: Surroundings): Promise<number> {
  const { stdout } = surroundings;
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
    surroundings,
  );
  return code === EXIT.ok ? EXIT.undetermined : code;
}
