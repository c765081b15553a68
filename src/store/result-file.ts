import { constants } from 'node:fs';
import { access, appendFile, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { KeyauditError } from '../core/error.ts';
import { isInput, isState, type OwnPlaces } from './files/of-ours.ts';
import { readTextFile } from './files/read-text-file.ts';
import { staysBelow } from './files/stays-below.ts';
import { writeWhole } from './files/write-whole.ts';

/** Where results are written, and what takes the secrets out of them. */
export interface ResultFolder extends OwnPlaces {
  readonly redact: (text: string) => string;
}

/** A report takes the place of no input; what is made to be input, such as a profile or the lock file, may. */
export type ResultKind = 'report' | 'input';

/**
 * Writes a result that the user asked for, whole or not at all, every secret redacted.
 * @throws KeyauditError `OUTPUT_UNWRITABLE`
 */
export async function writeResultFile(
  folder: ResultFolder,
  file: string,
  text: string,
  kind: ResultKind = 'report',
): Promise<void> {
  await requireNotOurs(folder, file, kind);
  if (await makesFolder(folder, file, kind))
    await mkdir(dirname(resolve(folder.cwd, file)), { recursive: true });
  await writeWhole(resolve(folder.cwd, file), folder.redact(text)).catch((cause) => {
    throw unwritable(file, cause);
  });
}

/**
 * Writes a file of the project that a person goes on from, and the folders that it lies in.
 * @throws KeyauditError `OUTPUT_UNWRITABLE`, also where a link that came with the checkout leads out of it
 */
export async function writeProjectFile(folder: ResultFolder, file: string, text: string): Promise<void> {
  const path = resolve(folder.cwd, file);
  if (!(await staysBelow(path, await realpath(folder.cwd)))) {
    throw new KeyauditError('OUTPUT_UNWRITABLE', `A link leads ${file} out of this project.`, {
      hint: 'It may have come with the checkout. Look where it leads, and remove it.',
    });
  }
  await mkdir(dirname(path), { recursive: true }).catch((cause) => {
    throw unwritable(file, cause);
  });
  await writeResultFile(folder, file, text, 'input');
}

/** Adds a result at the end of a file, every secret redacted. @throws KeyauditError `OUTPUT_UNWRITABLE` */
export async function appendToResultFile(folder: ResultFolder, file: string, text: string): Promise<void> {
  await requireNotOurs(folder, file, 'report');
  await appendFile(resolve(folder.cwd, file), folder.redact(text)).catch((cause) => {
    throw unwritable(file, cause);
  });
}

/**
 * Says before the work what writing would say after it: that the folder is missing, or that the file
 * is a folder. @throws KeyauditError `OUTPUT_UNWRITABLE`
 */
export async function requireWritable(
  folder: ResultFolder,
  file: string,
  kind: ResultKind = 'report',
): Promise<void> {
  const path = resolve(folder.cwd, file);
  await access(dirname(path), constants.W_OK).catch(async (cause) => {
    if (!(await makesFolder(folder, file, kind))) throw unwritable(file, cause);
  });
  await requireNotOurs(folder, file, kind);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) throw unwritable(file, { code: 'EISDIR' });
}

/** Whether the folder is made with the file: the first profile of a project makes its `profiles/`. */
async function makesFolder({ cwd }: ResultFolder, file: string, kind: ResultKind): Promise<boolean> {
  const path = resolve(cwd, file);
  if (kind !== 'input') return false;
  const isThere = await stat(dirname(path)).then(
    () => true,
    () => false,
  );
  return !isThere && staysBelow(path, await realpath(cwd));
}

/**
 * A result never takes the place of state of ours, nor of a file that holds a key, nor a report that of an input,
 * whatever name or link leads to it.
 * @throws KeyauditError `OUTPUT_UNWRITABLE`
 */
async function requireNotOurs(folder: ResultFolder, file: string, kind: ResultKind): Promise<void> {
  const path = resolve(folder.cwd, file);
  const text = await readTextFile(path).catch(() => '');
  if ((await isState(path, folder)) || folder.redact(text) !== text) {
    throw new KeyauditError('OUTPUT_UNWRITABLE', `${file} is where keyaudit or a store keeps keys.`, {
      hint: 'Name another file.',
    });
  }
  if (kind === 'report' && (await isInput(path, folder))) {
    throw new KeyauditError(
      'OUTPUT_UNWRITABLE',
      `${file} is what keyaudit reads, and a report would replace it.`,
      {
        hint: 'Name another file.',
      },
    );
  }
}

function unwritable(file: string, cause: unknown): KeyauditError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new KeyauditError('OUTPUT_UNWRITABLE', `${file} cannot be written (${code}).`, {
    hint: 'Check that its folder exists, may be written to and has room.',
    cause,
  });
}
