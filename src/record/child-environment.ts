import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KnownWords } from '../core/draft/runs/known-words.ts';

/** Where `node-hook.cjs` and `sitecustomize.py` lie: beside this module, in `src/` and in `dist/`. */
const HOOKS = fileURLToPath(new URL('./hooks', import.meta.url));

/** Where the hooks of a recorded command write, and how it finds them. */
export interface HookedEnvironment {
  /** What the command's environment is to have besides. */
  readonly env: Readonly<Record<string, string>>;
  /** A line of JSON for each call; see `hooks/node-hook.cjs`. */
  readonly notesFile: string;
  /** Removes the notes. */
  close(): Promise<void>;
}

/**
 * Makes a private place for the notes of one run, outside the working folder.
 * @param env the environment that the command would have without recording
 */
export async function hookEnvironment(
  words: KnownWords,
  env: Readonly<Record<string, string | undefined>>,
): Promise<HookedEnvironment> {
  const folder = await mkdtemp(join(tmpdir(), 'keyaudit-record-'));
  const notesFile = join(folder, 'notes.jsonl');
  await writeFile(notesFile, '', { mode: 0o600, flag: 'wx' });
  // Beside it, so that what is no word of Stripe's is not even in the notes.
  const lists = Object.fromEntries(Object.entries(words).map(([name, list]) => [name, [...list]]));
  await writeFile(join(folder, 'words.json'), JSON.stringify(lists), { mode: 0o600, flag: 'wx' });
  const hook = join(HOOKS, 'node-hook.cjs');
  const pythonPath = env.PYTHONPATH === undefined || env.PYTHONPATH === '' ? [] : [env.PYTHONPATH];
  return {
    env: {
      KEYAUDIT_RECORD_NOTES: notesFile,
      NODE_OPTIONS: [env.NODE_OPTIONS ?? '', `--require ${quoted(hook)}`].join(' ').trim(),
      PYTHONPATH: [HOOKS, ...pythonPath].join(delimiter),
    },
    notesFile,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** As node splits NODE_OPTIONS: a blank is kept within double quotes, a backslash before `"` and `\`. */
function quoted(path: string): string {
  return /[\s"\\]/.test(path) ? `"${path.replace(/[\\"]/g, '\\$&')}"` : path;
}
