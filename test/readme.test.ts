import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../src/core/error.ts';
import { VERIFY_FORMATS } from '../src/report/verify/formats.ts';
import { runCli, temporaryFolder } from './support/run-cli.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

describe('the README', () => {
  const readme = read('README.md');

  it('has the exit codes of the program', () => {
    const codes = [...readme.matchAll(/^\| (\d) +\| /gm)].map((match) => Number(match[1]));
    expect(codes).toEqual(Object.values(EXIT));
  });

  it('names every verb', async () => {
    const help = await runCli(['--help'], { cwd: await temporaryFolder() });
    const verbs = [...help.stdout.slice(help.stdout.indexOf('Make keys:')).matchAll(/^ {2}([a-z]+) /gm)]
      .map((match) => match[1] as string)
      .filter((verb) => verb !== 'help' && verb !== 'keyaudit');
    expect(verbs.length).toBeGreaterThan(10);
    for (const verb of verbs) expect(readme).toContain(`keyaudit ${verb}`);
  });

  it('names every format', () => {
    for (const format of VERIFY_FORMATS) expect(readme).toMatch(new RegExp(`^\\| \`${format}\` `, 'm'));
  });

  it('does all the set-up in two commands', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const script of ['demo', 'test']) {
      expect(readme).toContain(`npm install && npm ${script === 'test' ? '' : 'run '}${script}`);
      expect(scripts[script]).toBeDefined();
    }
  });
});

describe.each(pages)('%s', (page) => {
  it('links only to files that are there', () => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map((match) => match[1] as string);
    const missing = links.filter((link) => !existsSync(join(root, dirname(page), link)));
    expect(missing).toEqual([]);
  });
});

describe('the rooms in README.md', () => {
  it('are each named in the second paragraph, and nothing else is', () => {
    const [, , paragraph = ''] = read('README.md').split('\n\n');
    const named = [...paragraph.matchAll(/\*\*(\w+)\*\*/g)].map(([, name = '']) => name.toLowerCase());
    expect(named.sort()).toEqual(readdirSync(join(root, 'src')).sort());
  });
});

describe('CONTRIBUTING.md', () => {
  const text = read('CONTRIBUTING.md');

  it('names paths that are there', () => {
    const paths = [
      ...text.matchAll(
        /`((?:src|test|docs|scripts|profiles|schema|bench|examples)\/[^`\s]*|[\w-]+\.ya?ml)`/g,
      ),
    ].map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(40);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('has a row for each room, and for nothing else', () => {
    const rooms = readdirSync(join(root, 'src')).flatMap((room) =>
      room === 'core'
        ? [
            'src/core/',
            ...readdirSync(join(root, 'src/core'), { withFileTypes: true })
              .filter((entry) => entry.isDirectory())
              .map(({ name }) => `src/core/${name}/`),
          ]
        : [`src/${room}/`],
    );
    const rows = [...text.matchAll(/^\| `(src\/[^`]+)` /gm)].map(([, room = '']) => room);
    expect([...rows].sort()).toEqual([...rooms].sort());
  });
});
