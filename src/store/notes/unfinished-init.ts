import { join } from 'node:path';
import { z } from 'zod';
import { CI_SYSTEMS } from '../../core/draft/ci-system.ts';
import { JsonFile } from '../json-file.ts';
import { openWorkspace, WORKSPACE } from '../workspace.ts';
import { SealedNotes } from './sealed-notes.ts';

const unfinishedSchema = z.strictObject({
  startedAt: z.iso.datetime(),
  name: z.string().optional(),
  description: z.string().optional(),
  env: z.string().optional(),
  permissions: z
    .array(
      z.strictObject({
        name: z.string(),
        level: z.enum(['none', 'read', 'write']),
        why: z.string().optional(),
      }),
    )
    .optional(),
  /** Whether somebody said that these are all. */
  isWhole: z.boolean().optional(),
  /** Why the writes that come along are taken; empty where that is left for later. */
  accept: z.string().optional(),
  ci: z.enum(CI_SYSTEMS).optional(),
});

const fileSchema = z.strictObject({
  version: z.literal(1),
  unfinished: z.array(unfinishedSchema.extend({ seal: z.string().optional() })),
});

/** What was answered in an `init` that has not written its files yet. */
export type UnfinishedInit = z.infer<typeof unfinishedSchema>;

/**
 * The answers of an `init` that was interrupted, so that they are not asked for again. They are this user's own words
 * alone: what came with a checkout is not seen.
 */
export class UnfinishedInits {
  readonly #notes: SealedNotes<z.infer<typeof fileSchema>, UnfinishedInit>;

  constructor(cwd: string, env: Readonly<Record<string, string | undefined>>) {
    const file = new JsonFile({
      file: join(cwd, WORKSPACE, 'init.json'),
      schema: fileSchema,
      empty: { version: 1 as const, unfinished: [] },
      isNothing: ({ unfinished }) => unfinished.length === 0,
      prepare: () => openWorkspace(cwd),
      broken: {
        code: 'FILE_UNREADABLE',
        hint: 'Remove it: only the answers of an unfinished init are lost.',
      },
    });
    this.#notes = new SealedNotes(file, {
      kind: 'unfinished-init',
      env,
      notesOf: ({ unfinished }) => unfinished,
      contentOf: (unfinished) => ({ version: 1 as const, unfinished: [...unfinished] }),
    });
  }

  async read(): Promise<UnfinishedInit | undefined> {
    return (await this.#notes.read()).own.at(-1);
  }

  async keep(answers: UnfinishedInit): Promise<void> {
    await this.#notes.update(() => [answers]);
  }

  async forget(): Promise<void> {
    if ((await this.read()) !== undefined) await this.#notes.update(() => []);
  }
}
