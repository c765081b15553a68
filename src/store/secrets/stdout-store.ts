import { KeyauditError } from '../../core/error.ts';
import type { SecretStore, StoreOptions } from './secret-store.ts';

/** Prints the secret, once. @throws KeyauditError `REVEAL_NEEDED` */
export function stdoutStore({ reveal }: StoreOptions): SecretStore {
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
