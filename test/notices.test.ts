import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/run-cli.ts';

const root = new URL('../', import.meta.url).pathname;

/** The packages that the files of a folder import by name. */
async function packagesIn(folder: string, ending: RegExp): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !ending.test(entry.name)) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    for (const [, name] of text.matchAll(
      /^(?:import (?!type)|} from |export .* from ).*?'((?:@[\w-]+\/)?[a-z][\w.-]*)(?:\/[\w./-]+)?';|import\('([a-z][\w-]*)'\)/gm,
    )) {
      if (name !== undefined) found.add(name);
    }
    for (const [, name] of text.matchAll(/^import .*?"((?:@[\w-]+\/)?[a-z][\w.-]*)(?:\/[\w./-]+)?";/gm)) {
      if (name !== undefined) found.add(name);
    }
  }
  return found;
}

it('name every package that dist holds, with its version and its licence', async () => {
  const notices = await readFile(join(root, 'dist/THIRD-PARTY-NOTICES.md'), 'utf8');
  const used = await packagesIn(join(root, 'src'), /(?<!\.test)\.ts$/);
  const apart = await packagesIn(join(root, 'dist'), /\.js$/);
  const bundled = [...used].filter((name) => !apart.has(name));
  expect(bundled).toEqual(expect.arrayContaining(['chalk', 'stripe', 'yaml', 'zod']));
  for (const name of [...bundled, 'commander']) {
    const folder = join(root, 'node_modules', name);
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(notices).toContain(`## ${name} ${version} (`);
    const files = await readdir(folder);
    const licence = await readFile(
      join(folder, files.find((file) => /^licen[cs]e/i.test(file)) ?? ''),
      'utf8',
    );
    const words = (text: string) => text.replace(/\s+/g, ' ').trim();
    expect(words(notices)).toContain(words(licence));
  }
});

it('are refused for a package without a licence', async () => {
  const folder = join(await temporaryFolder(), 'node_modules/bare');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "name": "bare", "version": "1.0.0", "license": "MIT" }');
  const script = new URL('../scripts/third-party-notices.mjs', import.meta.url).href;
  const { thirdPartyNotices } = (await import(script)) as {
    thirdPartyNotices(modules: readonly string[]): string;
  };
  expect(() => thirdPartyNotices([join(folder, 'index.js')])).toThrow('bare is bundled and has no licence');
});
