import { randomBytes } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { KeyauditError } from '../../core/error.ts';
import { SecretKey } from '../../core/secret-key.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { moveInPlace } from '../files/replace-file.ts';
import { gitView } from '../git.ts';
import { openWorkspace, refuseLink, WORKSPACE, withFileLock, writePrivateFile } from '../workspace.ts';
import { valueIn, withoutVariable, withVariable } from './env-text.ts';

/** The working folder, whose `.keyaudit/` takes an env file while it is written, and the environment to ask git in. */
interface EnvFilePlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads one variable of an env file as programs read it; undefined when the file or the variable is missing.
 * @throws KeyauditError `STORE_UNREADABLE`
 */
export async function readEnvFile(file: string, variable: string): Promise<SecretKey | undefined> {
  const value = valueIn(await bytesOf(await realFile(file)), variable);
  return value === undefined ? undefined : SecretKey.of(value, `${variable} in ${file}`);
}

/**
 * Sets one variable, leaving every other byte as it is; atomic, 0600, and safe with two processes at once.
 * @param mayWrite asked once more right before the file is replaced
 * @throws KeyauditError `ENV_FILE_TRACKED` when git would take the file up, `ENV_FILE_BROKEN` with the line,
 * `STORE_UNWRITABLE`
 */
export async function writeEnvFile(
  file: string,
  variable: string,
  secret: SecretKey,
  place: EnvFilePlace,
  mayWrite: () => boolean = () => true,
): Promise<void> {
  const target = await realFile(file);
  await refuseTracked(target, file, place.env);
  await withFileLock(target, async (isLocked) => {
    const before = await bytesOf(target);
    const changed = withVariable(before, variable, secret.reveal(), basename(target).startsWith('.envrc'));
    if ('brokenLine' in changed) {
      throw new KeyauditError(
        'ENV_FILE_BROKEN',
        `${file}:${changed.brokenLine} is neither NAME=value nor a comment.`,
        { hint: 'Correct or remove that line; nothing was changed.' },
      );
    }
    if (valueIn(changed.text, variable) !== secret.reveal()) {
      throw new KeyauditError('ENV_FILE_BROKEN', `${file} would not give ${variable} back once it was set.`, {
        hint: 'A quote that is open in it may swallow the line. Correct it, or choose another file; nothing was changed.',
      });
    }
    const { text } = changed;
    await replace(target, text, place, () => isLocked() && mayWrite());
  });
}

/** Takes a variable out where it holds this secret; a newer one is left alone. */
export async function removeFromEnvFile(
  file: string,
  variable: string,
  secret: SecretKey,
  place: EnvFilePlace,
): Promise<void> {
  const target = await realFile(file);
  if ((await bytesOf(target)) === '') return;
  await withFileLock(target, async (stillHeld) => {
    const before = await bytesOf(target);
    const after = withoutVariable(before, variable, secret.reveal());
    if (after !== before) await replace(target, after, place, stillHeld);
  });
}

/**
 * Where a file really lies. A link of the user's is written through, so that it goes on pointing where its owner
 * wants; one in `.keyaudit/`, where only keyaudit writes, is refused.
 */
async function realFile(file: string): Promise<string> {
  if (basename(dirname(file)) === WORKSPACE) {
    await refuseLink(dirname(file));
    await refuseLink(file);
  }
  const folder = await realpath(dirname(file)).catch(() => dirname(file));
  return realpath(file).catch(() => join(folder, basename(file)));
}

/** A file's bytes, one character each, so that what is not UTF-8 stays as it is too. */
async function bytesOf(file: string): Promise<string> {
  return readTextFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new KeyauditError('STORE_UNREADABLE', `${file} cannot be read (${error.code}).`, {
      hint: 'Check that it is a file that you may read.',
      cause: error,
    });
  });
}

/** Replaces a file whole. What is half written lies in `.keyaudit/`, where git takes nothing up. */
async function replace(
  target: string,
  text: string,
  place: EnvFilePlace,
  stillHeld: () => boolean,
): Promise<void> {
  const bytes = Buffer.from(text, 'latin1');
  const workspace = await realpath(await openWorkspace(place.cwd));
  if (target.startsWith(`${workspace}${sep}`)) return writePrivateFile(target, bytes, stillHeld);
  const temporary = join(workspace, `${basename(target)}.${randomBytes(6).toString('hex')}`);
  await writePrivateFile(temporary, bytes);
  try {
    moveInPlace(temporary, target, stillHeld);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    // Another file system: the half written file must lie beside it, under a name that git must not take up either.
    await refuseTracked(`${target}.1234567`, target, place.env);
    await writePrivateFile(target, bytes, stillHeld);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A secret in a file that git would take up is a secret published. @param file as shown to the user */
async function refuseTracked(target: string, file: string, env: EnvFilePlace['env']): Promise<void> {
  const view = await gitView(target, env);
  if (view === 'outside' || view === 'ignored') return;
  throw new KeyauditError(
    'ENV_FILE_TRACKED',
    `git would take up ${file}, and a secret must never be in git.`,
    {
      hint: `Add it to .gitignore${view === 'tracked' ? ' and take it out of the index with "git rm --cached"' : ''}, or choose another file.`,
    },
  );
}
