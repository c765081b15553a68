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
  /** Private, outside the working folder, and gone with the run. */
  readonly folder: string;
  /** The command's arguments, with leave to read the hook where Node's permission model would refuse it. */
  arguments(args: readonly string[]): readonly string[];
  /** Removes the notes. */
  close(): Promise<void>;
}

/**
 * Makes a private place for the notes of one run, outside the working folder.
 * @param env the environment that the command would have without recording
 * @param recorder address of what notes calls besides, so that none is noted twice
 */
export async function hookEnvironment(
  words: KnownWords,
  env: Readonly<Record<string, string | undefined>>,
  recorder?: string | undefined,
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
      ...(recorder === undefined ? {} : { KEYAUDIT_RECORD_SERVER: recorder }),
      NODE_OPTIONS: [env.NODE_OPTIONS ?? '', `--require ${quoted(hook)}`].join(' ').trim(),
      PYTHONPATH: [HOOKS, ...pythonPath].join(delimiter),
    },
    notesFile,
    folder,
    arguments: (args) => {
      const at = args.findIndex((one) => /^--(?:experimental-)?permission$/.test(one));
      if (at < 0) return args;
      const leave = [
        `--allow-fs-read=${HOOKS}/*`,
        `--allow-fs-read=${folder}/*`,
        `--allow-fs-write=${folder}/*`,
      ];
      return [...args.slice(0, at + 1), ...leave, ...args.slice(at + 1)];
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** As node splits NODE_OPTIONS: a blank is kept within double quotes, a backslash before `"` and `\`. */
function quoted(path: string): string {
  return /[\s"\\]/.test(path) ? `"${path.replace(/[\\"]/g, '\\$&')}"` : path;
}
