import { isAbsolute, join, relative, resolve } from 'node:path';
import { WORKSPACE } from '../workspace.ts';
import { readEnvFile, removeFromEnvFile, writeEnvFile } from './env-file.ts';
import type { SecretStore, StoreOptions } from './secret-store.ts';

/** The default store, as shown to the user. */
export const DEFAULT_STORE = `${WORKSPACE}/keys.env`;

/** A variable of an env file. @param path relative to the working folder */
export function envFileStore(path: string, { cwd, env }: StoreOptions): SecretStore {
  const file = isAbsolute(path) ? path : join(cwd, path);
  const short = relative(cwd, resolve(file));
  return {
    place: short.startsWith('..') ? file : short,
    put: (variable, secret, _profile, mayWrite) =>
      writeEnvFile(file, variable, secret, { cwd, env }, mayWrite),
    get: (variable) => readEnvFile(file, variable),
    remove: (variable, secret) => removeFromEnvFile(file, variable, secret, { cwd, env }),
  };
}
