import { EXIT, KeyauditError } from '../../core/error.ts';
import { SecretKey } from '../../core/secret-key.ts';
import { COMMAND_TIMEOUT_MS, endOf } from './store-command.ts';
import { withoutSecretKey } from './without-secret-key.ts';

/** More than any key, and than a command has to say. */
const MOST_CHARACTERS = 1_000_000;

/**
 * Takes a key from a command's standard output: `--key-from exec:COMMAND`, for a secrets manager.
 * @throws KeyauditError `KEY_SOURCE_UNKNOWN`, `KEY_SOURCE_FAILED`
 */
export async function readKeyFrom(
  specification: string,
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<SecretKey> {
  const command = /^exec:(.*\S.*)$/s.exec(specification)?.[1];
  if (command === undefined) {
    throw new KeyauditError('KEY_SOURCE_UNKNOWN', `"${specification}" is no source of a key.`, {
      hint: 'Valid: exec:COMMAND, whose standard output is the key. Never give the key itself.',
    });
  }
  const { execa } = await import('execa');
  const run = await execa(command, {
    shell: true,
    cwd,
    env: withoutSecretKey(env),
    extendEnv: false,
    reject: false,
    timeout: COMMAND_TIMEOUT_MS,
    stdin: 'ignore',
    maxBuffer: MOST_CHARACTERS,
  });
  const found =
    run.exitCode === 0 && run.stdout.trim() !== ''
      ? SecretKey.of(run.stdout, 'What the command of --key-from printed')
      : undefined;
  // Only now: what it says beside the key could repeat the key, which by now is known and taken out.
  if (run.stderr !== '') process.stderr.write(`${run.stderr}\n`);
  if (found !== undefined) return found;
  throw new KeyauditError('KEY_SOURCE_FAILED', `The command of --key-from gave no key (${endOf(run)}).`, {
    hint: 'It must print the key, and nothing else, on standard output.',
    exitCode: EXIT.undetermined,
  });
}
