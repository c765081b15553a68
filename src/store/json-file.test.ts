import { execFile } from 'node:child_process';
import { mkdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../../test/support/run-cli.ts';
import { JsonFile } from './json-file.ts';

const schema = z.strictObject({ version: z.literal(1), names: z.array(z.string()) });

function fileIn(folder: string): JsonFile<z.infer<typeof schema>> {
  return new JsonFile({
    file: join(folder, 'state.json'),
    schema,
    empty: { version: 1, names: [] },
    isNothing: ({ names }) => names.length === 0,
    prepare: () => mkdir(folder, { recursive: true }),
    broken: { code: 'JOURNAL_BROKEN', hint: 'Move it away.' },
  });
}

const adding = (name: string) => (content: z.infer<typeof schema>) => ({
  ...content,
  names: [...content.names, name],
});

describe('a file of keyaudit', () => {
  it('is read as it was written, private, and gone with its content', async () => {
    const folder = join(await temporaryFolder(), 'inner');
    const file = fileIn(folder);
    expect(await file.read()).toEqual({ version: 1, names: [] });
    await file.update(adding('a'));
    expect(await file.read()).toEqual({ version: 1, names: ['a'] });
    expect((await stat(file.file)).mode & 0o777).toBe(0o600);
    await file.update((content) => ({ ...content, names: [] }));
    await expect(stat(file.file)).rejects.toThrow('ENOENT');
  });

  it('loses nothing when many change it at once', async () => {
    const file = fileIn(await temporaryFolder());
    const names = Array.from({ length: 10 }, (_, index) => `n${index}`);
    await Promise.all(names.map((name) => fileIn(join(file.file, '..')).update(adding(name))));
    expect([...(await file.read()).names].sort()).toEqual(names);
  });

  it.each<[string, (file: string, folder: string) => Promise<unknown>, string]>([
    ['not JSON', (file) => writeFile(file, 'x'), 'JOURNAL_BROKEN'],
    ['of another version', (file) => writeFile(file, '{"version":2,"names":[]}'), 'JOURNAL_BROKEN'],
    [
      'with more than is known',
      (file) => writeFile(file, '{"version":1,"names":[],"x":1}'),
      'JOURNAL_BROKEN',
    ],
    ['a folder', (file) => mkdir(file), 'STORE_UNREADABLE'],
    ['a pipe', (file) => promisify(execFile)('mkfifo', [file]), 'STORE_UNREADABLE'],
    ['a device', (file) => symlink('/dev/zero', file), 'STORE_UNREADABLE'],
    [
      'a link that leads out',
      async (file, folder) => {
        await writeFile(join(folder, '..', 'outside.json'), '{"version":1,"names":["stolen"]}');
        await symlink(join(folder, '..', 'outside.json'), file);
      },
      'STORE_UNREADABLE',
    ],
    [
      'beyond all size',
      async (file) => {
        await writeFile(file, '');
        await truncate(file, 100 * 1024 * 1024 * 1024);
      },
      'STORE_UNREADABLE',
    ],
  ])('is refused when it is %s', async (_name, make, code) => {
    const folder = join(await temporaryFolder(), 'inner');
    await mkdir(folder);
    const file = fileIn(folder);
    await make(file.file, folder);
    await expect(file.read()).rejects.toMatchObject({ code });
  });

  it('is not changed when it is broken', async () => {
    const folder = await temporaryFolder();
    const file = fileIn(folder);
    await writeFile(file.file, 'x');
    await expect(file.update(adding('a'))).rejects.toMatchObject({ code: 'JOURNAL_BROKEN' });
    expect(await readFile(file.file, 'utf8')).toBe('x');
  });
});
