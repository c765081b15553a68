import { KeyauditError } from '../../core/error.ts';
import { readKeyFrom } from './read-key-from.ts';
import type { SecretStore, StoreOptions } from './secret-store.ts';
import { COMMAND_TIMEOUT_MS, endOf } from './store-command.ts';
import { withoutSecretKey } from './without-secret-key.ts';

/** Hands the secret to a command on its standard input. */
export function execStore(command: string, { cwd, env: own, log, readBack }: StoreOptions): SecretStore {
  return {
    place: `exec:${command}`,
    ...(readBack === undefined
      ? {}
      : {
          get: (variable, profile) => {
            const env = { ...own, KEYAUDIT_VARIABLE: variable, KEYAUDIT_PROFILE: profile };
            return readKeyFrom(`exec:${readBack}`, { cwd, env });
          },
        }),
    put: async (variable, secret, profile) => {
      const env = { ...withoutSecretKey(own), KEYAUDIT_VARIABLE: variable, KEYAUDIT_PROFILE: profile };
      const { execa } = await import('execa');
      const run = await execa(command, {
        shell: true,
        cwd,
        env,
        extendEnv: false,
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
