import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  addRefusals,
  HIGHEST_COUNT,
  LONGEST_NAME,
  MOST_REFUSALS,
  NAME,
  type NamedRefusal,
} from '../../core/calibrate/named-refusals.ts';
import { calibrationFolder } from '../user-folder.ts';
import { type CalibratedTarget, type Env, userFile } from './user-file.ts';

const refusalsSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal('refusals'),
  target: z.string(),
  refusals: z
    .array(
      z.strictObject({
        operation: z.string().max(120),
        name: z.string().max(LONGEST_NAME).regex(NAME),
        apiVersion: z.string().max(40),
        day: z.iso.date(),
        count: z.int().positive().max(HIGHEST_COUNT),
      }),
    )
    .max(MOST_REFUSALS),
});

/** What refusals of a target have named, of all API versions. @throws KeyauditError `CALIBRATION_BROKEN` */
export async function readNamedRefusals(
  env: Env,
  where: Pick<CalibratedTarget, 'target'>,
): Promise<readonly NamedRefusal[]> {
  return (await userFile(env, fileOf(env, where), refusalsSchema).read())?.refusals ?? [];
}

/** Adds what refusals named on `day`. @throws KeyauditError that of a broken file, or of one that cannot be written */
export async function keepNamedRefusals(
  env: Env,
  where: Pick<CalibratedTarget, 'target'>,
  fresh: readonly Pick<NamedRefusal, 'operation' | 'name' | 'apiVersion'>[],
  day: string,
): Promise<void> {
  if (fresh.length === 0) return;
  await userFile(env, fileOf(env, where), refusalsSchema).update((kept) => ({
    version: 1,
    kind: 'refusals',
    target: where.target,
    refusals: addRefusals(kept?.refusals ?? [], fresh, day).map((one) => ({ ...one })),
  }));
}

/** Forgets what refusals of a target have named. */
export async function forgetNamedRefusals(env: Env, where: Pick<CalibratedTarget, 'target'>): Promise<void> {
  await rm(fileOf(env, where), { force: true });
}

function fileOf(env: Env, { target }: Pick<CalibratedTarget, 'target'>): string {
  return join(calibrationFolder(env), 'refusals', `${target}.json`);
}
