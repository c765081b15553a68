import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { KeyauditError } from '../../core/error.ts';
import { notOwn } from '../files/not-own.ts';
import { JsonFile } from '../json-file.ts';
import { calibrationFolder } from '../user-folder.ts';
import { guardWrites } from '../workspace.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** For which target and API version something was calibrated. */
export interface CalibratedTarget {
  readonly target: string;
  readonly apiVersion: string;
}

/** Where rows lie that the user named. */
export function rowsFolder(env: Env): string {
  return join(calibrationFolder(env), 'rows');
}

const broken = {
  code: 'CALIBRATION_BROKEN',
  hint: 'Move it away and run "keyaudit calibrate" again; without it probes count as uncalibrated.',
} as const;

/** A file of what calibrating showed, in the user's own folder; it decides how answers are read. */
export class UserFile<T> {
  readonly #json: JsonFile<T | undefined>;
  readonly #env: Env;

  constructor(env: Env, file: string, schema: z.ZodType<T>) {
    this.#env = env;
    this.#json = new JsonFile<T | undefined>({
      file,
      schema,
      empty: undefined,
      prepare: () => openFolder(env),
      broken,
    });
  }

  /** Undefined where there is none. @throws KeyauditError `CALIBRATION_BROKEN`, or `CALIBRATION_FOREIGN` for another's */
  async read(): Promise<T | undefined> {
    await requireOwn(this.#json.file, this.#env);
    return this.#json.read();
  }

  /** @throws KeyauditError as {@link read}, or that of a file that cannot be written */
  async update(change: (content: T | undefined) => T): Promise<void> {
    await requireOwn(this.#json.file, this.#env);
    await this.#json.update(change);
  }
}

export function userFile<T>(env: Env, file: string, schema: z.ZodType<T>): UserFile<T> {
  return new UserFile(env, file, schema);
}

async function requireOwn(file: string, env: Env): Promise<void> {
  const why = await notOwn(file, env);
  if (why === undefined) return;
  throw new KeyauditError('CALIBRATION_FOREIGN', `${file} is not taken: ${why}.`, {
    hint: 'What it says would decide how answers are read. Move it away if it is not yours, or set XDG_CONFIG_HOME to a folder of yours outside the checkout.',
  });
}

async function openFolder(env: Env): Promise<void> {
  const folder = calibrationFolder(env);
  await guardWrites(folder, async () => {
    for (const name of ['rows', 'refusals'])
      await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  });
}
