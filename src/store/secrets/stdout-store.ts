import { KeyauditError } from '../../core/error.ts';
import type { SecretStore, StoreOptions } from './secret-store.ts';

/** Prints the secret, once. @throws KeyauditError `REVEAL_NEEDED` */
export function stdoutStore({ reveal, shown = line }: StoreOptions): SecretStore {
  if (reveal === undefined) {
    throw new KeyauditError('REVEAL_NEEDED', 'The store stdout prints the secret.', {
      hint: 'Say --reveal as well if you mean it.',
    });
  }
  return {
    place: 'stdout',
    put: async (variable, secret) => reveal(shown(variable, secret.reveal())),
  };
}

function line(variable: string, secret: string): string {
  return `${variable}=${secret}\n`;
}
