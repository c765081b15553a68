import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { byText } from '../../core/by-text.ts';
import { type CalibratedRow, type Calibration, NO_CALIBRATION } from '../../core/calibrate/calibration.ts';
import { VERDICT_KINDS } from '../../core/verdict/verdict.ts';
import { calibrationFolder } from '../user-folder.ts';
import { type CalibratedTarget, type Env, rowsFolder, userFile } from './user-file.ts';

const answerSchema = z.strictObject({
  verdict: z.enum(VERDICT_KINDS),
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
  rows: z.array(
    z.strictObject({
      operation: z.string(),
      permissions: z.array(z.string()).min(1),
      by: z.enum(['resolver', 'key']).optional(),
    }),
  ),
});

/** Where the calibration of a target lies, whether there is one or not. */
export function calibrationFile(env: Env, where: CalibratedTarget): string {
  return join(calibrationFolder(env), `${where.target}-${where.apiVersion}.json`);
}

/** What was kept so far; empty when there is nothing. @throws KeyauditError `CALIBRATION_BROKEN` */
export async function readCalibration(env: Env, where: CalibratedTarget): Promise<Calibration> {
  const kept = await userFile(env, calibrationFile(env, where), calibrationSchema).read();
  if (kept === undefined) return NO_CALIBRATION;
  const { bareHolds, entries } = kept;
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
  await userFile(env, file, calibrationSchema).update(() => ({
    version: 1,
    kind: 'probes',
    target: where.target,
    apiVersion: where.apiVersion,
    updatedAt: now.toISOString(),
    bareHolds: [...bareHolds],
    entries: Object.fromEntries(entries) as z.infer<typeof calibrationSchema>['entries'],
  }));
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
    const kept = await userFile(env, join(dir, name), rowsSchema).read();
    if (kept?.target === where.target && kept.apiVersion === where.apiVersion) found.push(kept);
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
  await userFile(env, file, rowsSchema).update(() => ({
    version: 1,
    kind: 'rows',
    target,
    apiVersion,
    updatedAt: now.toISOString(),
    rows: rows.map(({ operation, permissions: names, by }) => ({ operation, permissions: [...names], by })),
  }));
  return file;
}

/** Adds rows that a key with just one permission confirmed; of two for one operation the new one counts. */
export async function keepConfirmedRows(
  env: Env,
  where: CalibratedTarget,
  rows: readonly CalibratedRow[],
  now: Date,
): Promise<void> {
  if (rows.length === 0) return;
  const kept = (await userFile(env, confirmedFile(env, where), rowsSchema).read())?.rows ?? [];
  const merged = new Map([...kept, ...rows].map((row) => [row.operation, row]));
  await writeCalibratedRows(env, confirmedName(where), where, [...merged.values()], now);
}

/** Forgets what was confirmed for a target. */
export async function forgetConfirmedRows(env: Env, where: CalibratedTarget): Promise<void> {
  await rm(confirmedFile(env, where), { force: true });
}

function confirmedName({ target, apiVersion }: CalibratedTarget): string {
  return `confirmed-${target}-${apiVersion}.json`;
}

function confirmedFile(env: Env, where: CalibratedTarget): string {
  return join(rowsFolder(env), confirmedName(where));
}
