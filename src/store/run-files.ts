import { randomBytes } from 'node:crypto';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { didYouMean } from '../core/document/nearest.ts';
import { shapeSentence } from '../core/document/shape-problem.ts';
import {
  type RecordedCall,
  type RecordedRun,
  recordedCallSchema,
  runHeadSchema,
} from '../core/draft/runs/recorded-run.ts';
import { EXIT, KeyauditError } from '../core/error.ts';
import { PROFILE_NAME } from '../core/profile/profile-name.ts';
import { readTextFile } from './files/read-text-file.ts';
import { guardWrites, openWorkspace, WORKSPACE, writePrivateFile } from './workspace.ts';

/** The folder of recorded runs, in keyaudit's own; a folder for each name, a file for each run. */
const RECORDS = 'records';

/** A run file is small, since equal calls are counted; a larger one is none of ours. */
const LARGEST_RUN_FILE = 16 * 1024 * 1024;

/** Writes a run and returns its file. @throws KeyauditError `STORE_UNWRITABLE` */
export async function writeRun(cwd: string, run: RecordedRun): Promise<string> {
  const folder = join(await openWorkspace(cwd), RECORDS, run.name);
  await guardWrites(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
  const started = run.startedAt.replace(/\.\d+Z$/, 'Z').replaceAll(':', '-');
  const file = join(folder, `${started}-${randomBytes(3).toString('hex')}.jsonl`);
  await writePrivateFile(file, runText(run));
  return file;
}

/** The run as lines of JSON: what is known of it as a whole, then a line for each kind of call. */
function runText({ calls, ...head }: RecordedRun): string {
  return [head, ...calls].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/**
 * All runs of a name, the first one first, or the last `most`; a run file's name begins with the time of its run.
 * @throws KeyauditError `RUN_FILE_INVALID`, `FILE_UNREADABLE`
 */
export async function recordedRuns(
  cwd: string,
  name: string,
  most = Number.POSITIVE_INFINITY,
): Promise<readonly RecordedRun[]> {
  const folder = join(cwd, WORKSPACE, RECORDS, name);
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.jsonl')).sort();
  // Runs of one agent are alike, line for line.
  const seen = new Map<string, RecordedCall>();
  const runs = await Promise.all(files.slice(-most).map((file) => readRun(join(folder, file), seen)));
  return runs.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

/** The same; none is an error. @throws KeyauditError `RECORDING_MISSING`, `RUN_FILE_INVALID` */
export async function requireRuns(cwd: string, name: string): Promise<readonly RecordedRun[]> {
  const runs = await recordedRuns(cwd, name);
  if (runs.length > 0) return runs;
  const names = await recordedNames(cwd);
  throw new KeyauditError('RECORDING_MISSING', `Nothing was recorded here under the name "${name}".`, {
    hint:
      didYouMean(name, names) ??
      (names.length > 0
        ? `Recorded: ${names.join(', ')}.`
        : `Record a run first: keyaudit record --name ${name} -- COMMAND`),
    exitCode: EXIT.undetermined,
  });
}

/** The names under which runs were recorded, sorted. */
async function recordedNames(cwd: string): Promise<readonly string[]> {
  const entries = await readdir(join(cwd, WORKSPACE, RECORDS), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && PROFILE_NAME.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** @throws KeyauditError `RUN_FILE_INVALID`, `FILE_UNREADABLE` */
async function readRun(file: string, seen: Map<string, RecordedCall>): Promise<RecordedRun> {
  const unreadable = (cause: unknown) => {
    throw new KeyauditError('FILE_UNREADABLE', `${file} cannot be read.`, { cause });
  };
  const { size } = await stat(file).catch(unreadable);
  if (size > LARGEST_RUN_FILE) throw invalid(file, 1, `it has ${size} bytes, more than any run`);
  const lines = (await readTextFile(file).catch(unreadable)).split('\n').filter((line) => line !== '');
  const [head, ...calls] = lines.map((line, index) => {
    const known = index === 0 ? undefined : seen.get(line);
    if (known !== undefined) return known;
    const schema = index === 0 ? runHeadSchema : recordedCallSchema;
    const read = schema.safeParse(jsonOf(line));
    if (!read.success) {
      throw invalid(file, index + 1, shapeSentence(read.error.issues[0], 'the line'));
    }
    if (index > 0) seen.set(line, read.data as RecordedCall);
    return read.data;
  });
  if (head === undefined) throw invalid(file, 1, 'it is empty');
  return { ...(head as Omit<RecordedRun, 'calls'>), calls: calls as RecordedRun['calls'] };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function invalid(file: string, line: number, why: string): KeyauditError {
  return new KeyauditError('RUN_FILE_INVALID', `${file}:${line} is no recording of keyaudit's: ${why}.`, {
    hint: 'Remove the file, or record the run again.',
    exitCode: EXIT.undetermined,
  });
}
