import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { byText } from '../core/by-text.ts';
import { type CalibratedRow, type Calibration, NO_CALIBRATION } from '../core/calibrate/calibration.ts';
import { KeyauditError } from '../core/error.ts';
import { calibrationFolder } from './user-folder.ts';
import { guardWrites, withFileLock, writePrivateFile } from './workspace.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** For which target and API version something was calibrated. */
export interface CalibratedTarget {
  readonly target: string;
  readonly apiVersion: string;
}

const answerSchema = z.strictObject({
  verdict: z.enum(['allowed', 'forbidden', 'impossible', 'inconclusive']),
  status: z.int().nullable(),
  named: z.array(z.string()),
  reason: z.string().optional(),
});

const head = {
  version: z.literal(1),
  target: z.string(),
  apiVersion: z.string(),
  updatedAt: z.iso.datetime(),
};

const calibrationSchema = z.strictObject({
  ...head,
  kind: z.literal('probes'),
  bareHolds: z.array(z.string()),
  entries: z.record(
    z.string(),
    z.strictObject({
      probe: z.string().optional(),
      bare: answerSchema.optional(),
      full: answerSchema.optional(),
    }),
  ),
});

const rowsSchema = z.strictObject({
  ...head,
  kind: z.literal('rows'),
  rows: z.array(z.strictObject({ operation: z.string(), permissions: z.array(z.string()).min(1) })),
});

/** Where the calibration of a target lies, whether there is one or not. */
export function calibrationFile(env: Env, where: CalibratedTarget): string {
  return join(calibrationFolder(env), `${where.target}-${where.apiVersion}.json`);
}

/** What was kept so far; empty when there is nothing. @throws KeyauditError `CALIBRATION_BROKEN` */
export async function readCalibration(env: Env, where: CalibratedTarget): Promise<Calibration> {
  const file = calibrationFile(env, where);
  const text = await textOf(file);
  if (text === undefined) return NO_CALIBRATION;
  const { bareHolds, entries } = parse(text, file, calibrationSchema);
  return { bareHolds, entries: new Map(Object.entries(entries)) as Calibration['entries'] };
}

/** Keeps a calibration, readable by its owner alone. */
export async function writeCalibration(
  env: Env,
  where: CalibratedTarget,
  { bareHolds, entries }: Calibration,
  now: Date,
): Promise<string> {
  const file = calibrationFile(env, where);
  await write(env, file, {
    version: 1,
    kind: 'probes',
    target: where.target,
    apiVersion: where.apiVersion,
    updatedAt: now.toISOString(),
    bareHolds,
    entries: Object.fromEntries(entries),
  });
  return file;
}

/**
 * Every row that was kept for a target; of two for one operation the later counts.
 * @throws KeyauditError `CALIBRATION_BROKEN`
 */
export async function readCalibratedRows(
  env: Env,
  where: CalibratedTarget,
): Promise<readonly CalibratedRow[]> {
  const dir = rowsFolder(env);
  const names = await readdir(dir).catch(() => []);
  const found: z.infer<typeof rowsSchema>[] = [];
  for (const name of names.filter((one) => one.endsWith('.json')).sort()) {
    const file = join(dir, name);
    const kept = parse((await textOf(file)) ?? '', file, rowsSchema);
    if (kept.target === where.target && kept.apiVersion === where.apiVersion) found.push(kept);
  }
  found.sort((a, b) => byText(a.updatedAt, b.updatedAt));
  return [...new Map(found.flatMap(({ rows }) => rows).map((row) => [row.operation, row])).values()];
}

/** Keeps rows under a file name of the user's choice, where later runs find them. */
export async function writeCalibratedRows(
  env: Env,
  name: string,
  where: CalibratedTarget,
  rows: readonly CalibratedRow[],
  now: Date,
): Promise<string> {
  const file = join(rowsFolder(env), name.endsWith('.json') ? name : `${name}.json`);
  const { target, apiVersion } = where;
  await write(env, file, {
    version: 1,
    kind: 'rows',
    target,
    apiVersion,
    updatedAt: now.toISOString(),
    rows,
  });
  return file;
}

function rowsFolder(env: Env): string {
  return join(calibrationFolder(env), 'rows');
}

async function write(env: Env, file: string, content: unknown): Promise<void> {
  const folder = calibrationFolder(env);
  await guardWrites(folder, async () => {
    await mkdir(rowsFolder(env), { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  });
  await withFileLock(file, () => writePrivateFile(file, `${JSON.stringify(content, null, 1)}\n`));
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
    throw new KeyauditError('STORE_UNREADABLE', `${file} cannot be read (${cause.code}).`, { cause });
  });
}

function parse<T>(text: string, file: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new KeyauditError('CALIBRATION_BROKEN', `${file} is broken or of another version of keyaudit.`, {
      hint: 'Move it away and run "keyaudit calibrate" again; without it probes count as uncalibrated.',
      cause,
    });
  }
}
