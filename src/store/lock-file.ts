import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { shapeProblems } from '../core/document/shape-problem.ts';
import { readYaml, type YamlSource } from '../core/document/yaml-source.ts';
import { KeyauditError, type Problem, type SourceLocation } from '../core/error.ts';
import { LOCK_FILE, LOCK_SCHEMA, type Lock, lockSchema } from '../core/lock/lock.ts';
import { shellWord } from '../core/shell-word.ts';
import { digestOf } from './files/digest.ts';
import { readTextFile } from './files/read-text-file.ts';
import { type ResultFolder, writeResultFile } from './result-file.ts';

/** A lock file with a position for every part of it. */
export interface LockFile {
  /** As shown to the user. */
  readonly file: string;
  readonly lock: Lock;
  /** Of its text: `sha256:…`. */
  readonly digest: string;
  valueAt(path: readonly PropertyKey[]): SourceLocation;
  keyAt(path: readonly PropertyKey[]): SourceLocation;
}

const HEADER = `# Made by "keyaudit lock": how far each key was verified to reach. Commit it, and review its changes as you
# review the profiles. "keyaudit verify --frozen" fails when a key, a profile or a widening goes beyond it.
`;

/** The text of a lock file: YAML, one name a line, in a stable order. */
export function renderLock(lock: Lock): string {
  return HEADER + stringify(lock, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** @throws KeyauditError `OUTPUT_UNWRITABLE` */
export async function writeLockFile(folder: ResultFolder, file: string, lock: Lock): Promise<void> {
  await writeResultFile(folder, file, renderLock(lock), 'input');
}

/**
 * Reads a lock file, `keyaudit.lock.yaml` by default.
 * @param asked the profiles that it is read for, as words of a command line
 * @throws KeyauditError `LOCK_MISSING`, `LOCK_UNREADABLE`, or `LOCK_INVALID` with the lines
 */
export async function readLockFile(
  cwd: string,
  file: string = LOCK_FILE,
  asked: readonly string[] = ['--all'],
): Promise<LockFile> {
  const text = await readTextFile(resolve(cwd, file)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') {
      throw new KeyauditError('LOCK_MISSING', `There is no lock file ${file}.`, {
        hint: `Make one with "${lockCommand(asked.map(shellWord).join(' '), file)}" and commit it.`,
        cause,
      });
    }
    throw new KeyauditError('LOCK_UNREADABLE', `${file} cannot be read (${cause.code}).`, { cause });
  });
  return parseLock(text, file);
}

/** @throws KeyauditError `LOCK_INVALID`, with file and line of each mistake */
export function parseLock(text: string, file: string): LockFile {
  const conflicts = conflictMarkers(text, file);
  if (conflicts.length > 0) throw invalid(file, conflicts);
  const source = readYaml(text, file);
  if (source.problems.length > 0) throw invalid(file, source.problems);
  const version = (source.value as { schema?: unknown } | null)?.schema;
  if (version !== LOCK_SCHEMA) throw invalid(file, [versionProblem(version, source)]);
  const shape = lockSchema.safeParse(source.value);
  if (!shape.success) {
    throw invalid(
      file,
      shape.error.issues.flatMap((issue) => shapeProblems(issue, source)),
    );
  }
  return { file, lock: shape.data, digest: digestOf(text), valueAt: source.valueAt, keyAt: source.keyAt };
}

/**
 * Holds the lock file against the profiles to be verified. `exactly`: no entry may be left over either.
 * @throws KeyauditError `LOCK_INCOMPLETE`, with the line
 */
export function requireLocked(
  { file, lock, keyAt }: LockFile,
  profiles: readonly string[],
  { exactly }: { exactly: boolean },
): void {
  const locked = Object.keys(lock.profiles);
  const problems: Problem[] = [
    ...profiles
      .filter((name) => !locked.includes(name))
      .map((name) => ({
        message: `The profile ${name} has no entry.`,
        location: keyAt(['profiles']),
        hint: `Verify and add it with "${lockCommand(shellWord(name), file)}".`,
      })),
    ...locked
      .filter((name) => exactly && !profiles.includes(name))
      .map((name) => ({
        message: `There is no profile ${name} any more.`,
        location: keyAt(['profiles', name]),
        hint: `Bring the profile back, or drop its entry with "${lockCommand('--all', file)}".`,
      })),
  ];
  if (problems.length === 0) return;
  throw new KeyauditError('LOCK_INCOMPLETE', `${file} does not fit the profiles.`, { problems });
}

/** Whether a text is meant to be a lock file, of whatever version. */
export function looksLikeLock(text: string): boolean {
  return /^["']?schema["']?:\s*["']?keyaudit\.lock\//m.test(text);
}

/** The command that writes a lock file. @param what profiles, or `--all` */
function lockCommand(what: string, file: string): string {
  return ['keyaudit lock', what, ...(file === LOCK_FILE ? [] : ['--lock', shellWord(file)])].join(' ');
}

function conflictMarkers(text: string, file: string): Problem[] {
  return text.split('\n').flatMap((line, index) =>
    /^(<{7}|\|{7}|={7}|>{7})(\s|$)/.test(line)
      ? [
          {
            message: `A merge conflict is not resolved here: ${line.slice(0, 7)}`,
            location: { file, line: index + 1, column: 1 },
          },
        ]
      : [],
  );
}

function versionProblem(version: unknown, source: YamlSource): Problem {
  const location = source.valueAt(['schema']);
  if (typeof version === 'string' && /^keyaudit\.lock\//.test(version)) {
    return { message: `This is ${version}, and this keyaudit reads ${LOCK_SCHEMA}.`, location };
  }
  return { message: `This is no lock file: it does not begin with "schema: ${LOCK_SCHEMA}".`, location };
}

function invalid(file: string, problems: readonly Problem[]): KeyauditError {
  return new KeyauditError('LOCK_INVALID', `${file} cannot be used.`, {
    problems,
    hint: `Make it anew with "${lockCommand('--all', file)}", and look at what changed before you commit it.`,
  });
}
