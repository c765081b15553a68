import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { KeyauditError } from '../../core/error.ts';
import { SecretKey } from '../../core/secret-key.ts';
import { withFileLock, writePrivateFile } from '../workspace.ts';

const LINE = /^(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/;

/** A line of an env file: an assignment, or anything else, kept as it is. */
type EnvLine =
  | { readonly kind: 'assignment'; readonly prefix: string; readonly name: string; readonly value: string }
  | { readonly kind: 'other'; readonly text: string };

/**
 * Reads one variable of an env file; undefined when the file or the variable is missing.
 * @throws KeyauditError `ENV_FILE_BROKEN` with the line
 */
export async function readEnvFile(file: string, variable: string): Promise<SecretKey | undefined> {
  const lines = parse(await textOf(file), file);
  const found = lines.findLast((line) => line.kind === 'assignment' && line.name === variable);
  return found?.kind === 'assignment' && found.value !== '' ? SecretKey.of(found.value) : undefined;
}

/**
 * Sets one variable, keeping every other line, comment and order; atomic, 0600, and safe with two
 * processes at once.
 * @throws KeyauditError `ENV_FILE_TRACKED` when git would take the file up, `STORE_UNWRITABLE`
 */
export async function writeEnvFile(file: string, variable: string, secret: SecretKey): Promise<void> {
  await refuseTracked(file);
  // A link is written through, so that it goes on pointing where its owner wants.
  const target = await realpath(file).catch(() => file);
  await withFileLock(target, async () => {
    const lines = parse(await textOf(target), file);
    const index = lines.findLastIndex((line) => line.kind === 'assignment' && line.name === variable);
    const previous = lines[index];
    const prefix = previous?.kind === 'assignment' ? previous.prefix : '';
    const assignment = { kind: 'assignment', prefix, name: variable, value: secret.reveal() } as const;
    const next = index === -1 ? [...lines, assignment] : lines.with(index, assignment);
    await writePrivateFile(target, `${next.map(render).join('\n')}\n`);
  });
}

/** Takes a variable out when it holds this secret; a newer one is left alone. */
export async function removeFromEnvFile(file: string, variable: string, secret: SecretKey): Promise<void> {
  const target = await realpath(file).catch(() => file);
  if ((await textOf(target)) === '') return;
  await withFileLock(target, async () => {
    const lines = parse(await textOf(target), file);
    const kept = lines.filter(
      (line) => line.kind === 'other' || line.name !== variable || line.value !== secret.reveal(),
    );
    if (kept.length === lines.length) return;
    await writePrivateFile(target, kept.length === 0 ? '' : `${kept.map(render).join('\n')}\n`);
  });
}

function parse(text: string, file: string): EnvLine[] {
  if (text === '') return [];
  return text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .map((line, index) => {
      if (/^\s*(?:#.*)?$/.test(line)) return { kind: 'other', text: line };
      const match = LINE.exec(line);
      if (match === null) {
        throw new KeyauditError(
          'ENV_FILE_BROKEN',
          `${file}:${index + 1} is neither NAME=value nor a comment.`,
          {
            hint: 'Correct or remove that line; nothing was changed.',
          },
        );
      }
      const [, prefix = '', name = '', value = ''] = match;
      return { kind: 'assignment', prefix, name, value: unquote(value) };
    });
}

function render(line: EnvLine): string {
  if (line.kind === 'other') return line.text;
  const value = /^[\w./:@%+,-]*$/.test(line.value)
    ? line.value
    : `"${line.value.replace(/(["\\$`])/g, '\\$1')}"`;
  return `${line.prefix}${line.name}=${value}`;
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(value);
  if (quoted === null) return value.replace(/\s+#.*$/, '');
  const inner = quoted[2] ?? '';
  return quoted[1] === '"' ? inner.replace(/\\(["\\$`])/g, '$1') : inner;
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new KeyauditError('STORE_UNREADABLE', `${file} cannot be read (${error.code}).`, {
      hint: 'Check that it is a file that you may read.',
      cause: error,
    });
  });
}

/** A secret in a file that git would take up is a secret published. */
async function refuseTracked(file: string): Promise<void> {
  const git = promisify(execFile);
  const options = { cwd: dirname(file), timeout: 5_000 };
  const inside = await git('git', ['rev-parse', '--is-inside-work-tree'], options).then(
    ({ stdout }) => stdout.trim() === 'true',
    () => false,
  );
  if (!inside) return;
  const ignored = await git('git', ['check-ignore', '-q', '--', basename(file)], options).then(
    () => true,
    () => false,
  );
  const tracked = await git('git', ['ls-files', '--error-unmatch', '--', basename(file)], options).then(
    () => true,
    () => false,
  );
  if (ignored && !tracked) return;
  throw new KeyauditError(
    'ENV_FILE_TRACKED',
    `git would take up ${file}, and a secret must never be in git.`,
    {
      hint: `Add it to .gitignore${tracked ? ' and take it out of the index with "git rm --cached"' : ''}, or choose another file.`,
    },
  );
}
