import { isAbsolute, join, relative, resolve } from 'node:path';
import { EXIT, KeyauditError } from '../../core/error.ts';
import { SecretKey } from '../../core/secret-key.ts';
import { WORKSPACE } from '../workspace.ts';
import { readEnvFile, removeFromEnvFile, writeEnvFile } from './env-file.ts';

/** The default store, as shown to the user. */
export const DEFAULT_STORE = `${WORKSPACE}/keys.env`;

/** Where the secret of a key goes. */
export interface SecretStore {
  /** As shown to the user, and kept in the key's record. */
  readonly place: string;
  put(variable: string, secret: SecretKey, profile: string): Promise<void>;
  /** What is there now; absent where a store cannot be read back. */
  readonly get?: (variable: string) => Promise<SecretKey | undefined>;
  /** Takes the secret out if it is still this one; absent where that cannot be done. */
  readonly remove?: (variable: string, secret: SecretKey) => Promise<void>;
}

export interface StoreOptions {
  readonly cwd: string;
  /** Writes to standard output past the redactor; undefined unless the user said `--reveal`. */
  readonly reveal: ((text: string) => void) | undefined;
  /** Takes what a store's command prints. */
  readonly log: (text: string) => void;
}

/**
 * Opens a store by its specification: `env-file`, `env-file:PATH`, `stdout`, or `exec:COMMAND`, whose
 * command gets the secret on its standard input.
 * @throws KeyauditError `STORE_UNKNOWN`, `REVEAL_NEEDED`
 */
export function openStore(specification: string | undefined, options: StoreOptions): SecretStore {
  const [, kind = '', argument = ''] = /^([^:]*):?(.*)$/s.exec(specification ?? 'env-file') ?? [];
  switch (kind) {
    case 'env-file':
      return envFileStore(argument === '' ? DEFAULT_STORE : argument, options);
    case 'stdout':
      return stdoutStore(options);
    case 'exec':
      if (argument.trim() === '') break;
      return execStore(argument, options);
  }
  throw new KeyauditError('STORE_UNKNOWN', `"${specification}" is not a store.`, {
    hint: 'Valid: env-file, env-file:PATH, exec:COMMAND, stdout.',
  });
}

/** The store that a key's record names, where it can be read back. */
export function openPlace(place: string, options: StoreOptions): SecretStore | undefined {
  if (place === 'stdout' || place.startsWith('exec:')) return undefined;
  return envFileStore(place, options);
}

function envFileStore(path: string, { cwd }: StoreOptions): SecretStore {
  const file = isAbsolute(path) ? path : join(cwd, path);
  const short = relative(cwd, resolve(file));
  return {
    place: short.startsWith('..') ? file : short,
    put: (variable, secret) => writeEnvFile(file, variable, secret),
    get: (variable) => readEnvFile(file, variable),
    remove: (variable, secret) => removeFromEnvFile(file, variable, secret),
  };
}

function stdoutStore({ reveal }: StoreOptions): SecretStore {
  if (reveal === undefined) {
    throw new KeyauditError('REVEAL_NEEDED', 'The store stdout prints the secret.', {
      hint: 'Say --reveal as well if you mean it.',
    });
  }
  return {
    place: 'stdout',
    put: async (variable, secret) => reveal(`${variable}=${secret.reveal()}\n`),
  };
}

/** Longest that a store's command may take, in ms. */
const COMMAND_TIMEOUT_MS = 60_000;

function execStore(command: string, { cwd, log }: StoreOptions): SecretStore {
  return {
    place: `exec:${command}`,
    put: async (variable, secret, profile) => {
      const env = { KEYAUDIT_VARIABLE: variable, KEYAUDIT_PROFILE: profile };
      const { execa } = await import('execa');
      const run = await execa(command, {
        shell: true,
        cwd,
        env,
        input: secret.reveal(),
        reject: false,
        timeout: COMMAND_TIMEOUT_MS,
        all: true,
      });
      if (run.all !== '') log(`${run.all}\n`);
      if (run.exitCode === 0) return;
      throw new KeyauditError(
        'STORE_COMMAND_FAILED',
        `The store's command did not take the secret (${endOf(run)}).`,
        {
          hint: 'It gets the secret on standard input, and KEYAUDIT_VARIABLE and KEYAUDIT_PROFILE in its environment; it must exit with 0.',
        },
      );
    },
  };
}

/**
 * Takes a key from a command's standard output: `--key-from exec:COMMAND`, for a secrets manager.
 * @throws KeyauditError `KEY_SOURCE_UNKNOWN`, `KEY_SOURCE_FAILED`
 */
export async function readKeyFrom(specification: string, cwd: string): Promise<SecretKey> {
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
    reject: false,
    timeout: COMMAND_TIMEOUT_MS,
    stdin: 'ignore',
    stderr: 'inherit',
  });
  if (run.exitCode === 0 && run.stdout.trim() !== '') return SecretKey.of(run.stdout);
  throw new KeyauditError('KEY_SOURCE_FAILED', `The command of --key-from gave no key (${endOf(run)}).`, {
    hint: 'It must print the key, and nothing else, on standard output.',
    exitCode: EXIT.undetermined,
  });
}

function endOf(run: {
  exitCode?: number | undefined;
  signal?: string | undefined;
  timedOut: boolean;
}): string {
  if (run.timedOut) return `no end within ${COMMAND_TIMEOUT_MS / 1000} s`;
  return run.exitCode === undefined ? (run.signal ?? 'it could not be run') : `exit code ${run.exitCode}`;
}
