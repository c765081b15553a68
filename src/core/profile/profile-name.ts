import { KeyauditError } from '../error.ts';

/** What a profile may be called: a name that is a file's, a shell's word and part of a key's name. */
export const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** The rule as words, for errors and schemas. */
export const PROFILE_NAME_RULE = 'letters, digits, ".", "_" and "-", beginning with a letter or digit';

/** @throws KeyauditError `USAGE` for what no profile can be called */
export function requireProfileName(name: string): void {
  if (PROFILE_NAME.test(name)) return;
  throw new KeyauditError('USAGE', `"${name}" is no name for a profile.`, {
    hint: `Use ${PROFILE_NAME_RULE}.`,
  });
}
