import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from './support/run-cli.ts';

// What the pages show is what the program prints, and words of ours are explained where they first stand.

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = [
  'README.md',
  ...(await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
const texts = new Map<string, string>();
for (const page of pages) texts.set(page, await readFile(join(root, page), 'utf8'));

interface Shown {
  readonly page: string;
  readonly args: readonly string[];
  readonly output: string;
}

/** Each `$ npx keyaudit …` of a console block, with what is shown below it. */
const SHOWN: readonly Shown[] = pages.flatMap((page) =>
  [...(texts.get(page) ?? '').matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...lines] = part.split('\n');
        const [, words = ''] = /^(?:npx )?keyaudit (.*)$/.exec(command) ?? [];
        return { page, args: words.split(' '), output: lines.join('\n') };
      }),
  ),
);

/** What differs from run to run. Lines may break elsewhere for it. */
function plainly(text: string): string {
  return text
    .replace(/\bmk_1\w+/g, 'mk_1')
    .replace(/sha256:[0-9a-f]+/g, 'sha256:0')
    .replace(/\b20\d\d-\d\d-\d\d\b/g, 'DAY')
    .replace(/(took|probes in) [\d.]+ (?:s|min)\b(?: [\d.]+ s)?/g, '$1 TIME')
    .replace(/\s+/g, ' ')
    .trim();
}

/** `…` stands for anything. */
function pattern(shown: string): RegExp {
  const parts = plainly(shown).split('…');
  return new RegExp(
    `^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[\\s\\S]*')}$`,
  );
}

/** In which folder a command is run, where that is not the one with the keys of the examples. */
const ELSEWHERE: Readonly<Record<string, () => Promise<string>>> = {
  'plan refund-agent': async () => {
    const cwd = await temporaryFolder();
    const [, profile = ''] =
      /^```yaml\n(name: refund-agent[\s\S]*?)^```$/m.exec(texts.get('README.md') ?? '') ?? [];
    await mkdir(join(cwd, 'profiles'));
    const forbidding = profile.replace('forbid: [', 'forbid: [charges.create, ');
    expect(forbidding).not.toBe(profile);
    await writeFile(join(cwd, 'profiles/refund-agent.yaml'), forbidding);
    return cwd;
  },
};

it('shows something', () => {
  expect(SHOWN.length).toBeGreaterThanOrEqual(3);
});

it('every command that pages show prints what they show below it', async () => {
  const examples = await temporaryFolder();
  expect(await runCli(['provision', '--examples'], { cwd: examples })).toMatchObject({ exitCode: 0 });
  for (const { page, args, output } of SHOWN) {
    const cwd = (await ELSEWHERE[args.join(' ')]?.()) ?? examples;
    const run = await runCli(args, { cwd });
    expect(plainly(run.stdout + run.stderr), `${page}: ${args.join(' ')}`).toMatch(pattern(output));
  }
});

describe('docs/cli.md knows every command that pages name', () => {
  const optionsOf = new Map<string, string>();
  const parts = (texts.get('docs/cli.md') ?? '').split(/^## `keyaudit /m);
  const everywhere = parts[0] ?? '';
  for (const part of parts.slice(1)) {
    const [verb = ''] = part.split('`');
    optionsOf.set(verb, part);
  }
  const FENCED = /^ *```\w*\n[\s\S]*?^ *```$/gm;
  const named = pages
    .filter((page) => page !== 'docs/cli.md')
    .flatMap((page) => {
      const text = texts.get(page) ?? '';
      const blocks = (text.match(FENCED) ?? []).join('\n');
      const prose = text.replace(FENCED, '').replaceAll('\n', ' ');
      return [
        ...blocks.matchAll(/(?:^ *|\$ |&& |npx |run: )keyaudit ([a-z][^\n#|&>]*)/gm),
        ...prose.matchAll(/`(?:npx )?keyaudit ([a-z][^`]*)`/g),
      ].map(([, words = '']) => ({
        page,
        words: words
          .replace(/ -- .*$/, '')
          .replaceAll(/'[^']*'?|"[^"]*"?/g, '…')
          .trim(),
      }));
    });

  it('names many', () => {
    expect(named.length).toBeGreaterThan(150);
  });

  it.each(pages.filter((page) => named.some((one) => one.page === page)))('%s', (page) => {
    const wrong = named
      .filter((one) => one.page === page)
      .flatMap(({ words }) => {
        const verb = [...optionsOf.keys()]
          .filter((name) => `${words} `.startsWith(`${name} `))
          .sort((a, b) => b.length - a.length)[0];
        if (verb === undefined) return [`no verb: ${words}`];
        const known = `${everywhere}${optionsOf.get(verb)}`;
        return [...words.matchAll(/(?<=^| )--[a-z][a-z-]*/g)]
          .map(([option]) => option)
          .filter((option) => !new RegExp(`\`(?:-\\w, )?${option}[ \`]`).test(known))
          .map((option) => `${verb} has no ${option}`);
      });
    expect(wrong).toEqual([]);
  });
});

describe('words of ours', () => {
  const WORDS = ['probe', 'widening', 'evidence', 'depth', 'provenance', 'drift'];

  it.each(
    (
      [
        ['README.md', WORDS],
        ['docs/first-hour.md', WORDS],
        // Read after the README, where the others stand.
        ['docs/ci.md', ['drift']],
      ] as const
    ).flatMap(([page, words]) =>
      words
        .filter((word) => new RegExp(`\\b${word}`, 'i').test(texts.get(page) ?? ''))
        .map((word) => ({ page, word })),
    ),
  )('$page explains $word where it first stands', ({ page, word }) => {
    const text = texts.get(page) ?? '';
    const first = new RegExp(`[^\n]*\\b${word}[^\n]*`, 'i').exec(text)?.[0];
    expect(first?.toLowerCase()).toMatch(new RegExp(`\\*\\*${word}s?\\*\\*|\\[${word}[^\\]]*\\]\\(`));
  });
});

describe('the picture of the report', () => {
  const file = join(root, 'docs/report.png');

  it('is a small one, made by a script, and not shipped', async () => {
    const bytes = await readFile(file);
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect((await stat(file)).size).toBeLessThan(150_000);
    const { scripts, files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
      files: string[];
    };
    expect(scripts.picture).toBe('node scripts/picture.mjs');
    expect(files).toContain('!docs/report.png');
    expect(texts.get('README.md')).toContain('](docs/report.png)');
  });
});
