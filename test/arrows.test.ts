import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HEIGHTS, LONGEST_FILE, LONGEST_FUNCTION, wrongWith } from './support/rooms.ts';

const root = join(import.meta.dirname, '..');
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => `src/${path}`)
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('/data/'))
  .sort();

/** Sentences about what is still too long; the list only ever shrinks. */
const TOO_LONG: readonly RegExp[] = [];

describe('src/', () => {
  const sentences = files.flatMap((path) => wrongWith(path, readFileSync(join(root, path), 'utf8')));

  it('has no arrow that is never drawn, and nothing that belongs elsewhere or is too long', () => {
    expect(sentences.filter((sentence) => !TOO_LONG.some((known) => known.test(sentence)))).toEqual([]);
  });

  it('has no style and no script of a page that is too long', () => {
    const long = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:css|m?js)$/.test(path))
      .map((path) => [path, readFileSync(join(root, 'src', path), 'utf8').split('\n').length - 1] as const);
    expect(long.length).toBeGreaterThan(3);
    expect(long.filter(([, lines]) => lines > LONGEST_FILE)).toEqual([]);
  });

  it('keeps no exception that has ended', () => {
    expect(TOO_LONG.filter((known) => !sentences.some((sentence) => known.test(sentence)))).toEqual([]);
  });

  it('has nothing but rooms, and every room has a height', () => {
    const rooms = new Set(files.map((path) => path.split('/')[1] ?? ''));
    expect([...rooms].filter((room) => HEIGHTS[room] === undefined)).toEqual([]);
  });

  it('has no folder larger than that of the verbs, and no other above 13 files', () => {
    const sizes = new Map<string, number>();
    for (const path of files) sizes.set(dirname(path), (sizes.get(dirname(path)) ?? 0) + 1);
    const verbs = sizes.get('src/commands') ?? 0;
    const large = [...sizes].filter(
      ([folder, size]) => size > verbs || (size > 13 && folder !== 'src/commands' && !LARGE.has(folder)),
    );
    expect(large.filter(([folder]) => !LARGE.has(folder))).toEqual([]);
    expect([...LARGE].filter((folder) => (sizes.get(folder) ?? 0) <= 13)).toEqual([]);
  });
});

/** Folders that are still too large; the list only ever shrinks. */
const LARGE: ReadonlySet<string> = new Set([]);

type Breach = readonly [path: string, text: string, sentence: RegExp];

/** One arrow broken on purpose in each room: what a newcomer reads then says where the thing belongs. */
const BREACHES: readonly Breach[] = [
  [
    'src/core/error.ts',
    "import '../store/notes/journal.ts';",
    /the core is pure and knows no other room; hand it/,
  ],
  [
    'src/core/error.ts',
    "import './grant/grant.ts';",
    /core lies below core\/grant\. What it needs belongs in a/,
  ],
  ['src/core/document/a.ts', "import '../catalog/catalog.ts';", /core\/document lies beside core\/catalog/],
  ['src/core/catalog/a.ts', "import '../profile/profile.ts';", /core\/catalog lies below core\/profile/],
  ['src/core/spend/a.ts', "import '../grant/grant.ts';", /core\/spend lies below core\/grant/],
  ['src/core/profile/a.ts', "import '../grant/grant.ts';", /core\/profile lies below core\/grant/],
  ['src/core/grant/a.ts', "import '../rules/policy.ts';", /core\/grant lies below core\/rules/],
  ['src/core/probe/a.ts', "import '../rules/policy.ts';", /core\/probe lies beside core\/rules/],
  ['src/core/rules/a.ts', "export * from '../probe/probe.ts';", /core\/rules lies beside core\/probe/],
  [
    'src/core/verdict/a.ts',
    "import type { A } from '../draft/a.ts';",
    /core\/verdict lies beside core\/draft/,
  ],
  ['src/core/draft/a.ts', "type A = import('../result/a.ts').A;", /core\/draft lies below core\/result/],
  ['src/core/result/a.ts', "import '../lock/lock.ts';", /core\/result lies below core\/lock/],
  ['src/core/calibrate/a.ts', "import '../inspect/a.ts';", /core\/calibrate lies beside core\/inspect/],
  ['src/core/inspect/a.ts', "import '../../stripe/a.ts';", /the core is pure and knows no other room/],
  ['src/core/lock/a.ts', "import 'node:fs';", /imports node:fs: the core is pure, without I\/O or clock/],
  [
    'src/http/a.ts',
    "import '../gate/gate.ts';",
    /http knows bytes, requests and answers; what needs more belongs/,
  ],
  ['src/gate/a.ts', "import '../sandbox/sandbox.ts';", /the gate decides .* belongs in that server/],
  [
    'src/stripe/a.ts',
    "import '../store/notes/journal.ts';",
    /asking Stripe needs no disk; what both need belongs in core/,
  ],
  [
    'src/store/a.ts',
    "await import('../stripe/a.ts');",
    /what is kept on disk does not depend on how Stripe is asked/,
  ],
  ['src/report/a.ts', "import '../session/session.ts';", /report lies below session/],
  ['src/report/a.ts', "import '../store/notes/journal.ts';", /a report is rendered from what it is handed/],
  [
    'src/sandbox/keys/a.ts',
    "import '../../report/text.ts';",
    /a server neither asks Stripe as a client nor words reports/,
  ],
  ['src/sandbox/a.ts', "import '../guard/a.ts';", /sandbox lies beside guard/],
  [
    'src/guard/a.ts',
    "import '../stripe/a.ts';",
    /a server neither asks Stripe as a client nor words reports/,
  ],
  ['src/core/settings/a.ts', "import '../verdict/a.ts';", /settings lies beside core\/verdict/],
  ['src/record/a.ts', "import '../sandbox/sandbox.ts';", /record lies beside sandbox/],
  ['src/targets/a.ts', "import '../session/session.ts';", /targets lies below session/],
  ['src/session/a.ts', "import '../keys/a.ts';", /session lies below keys/],
  ['src/audit/a.ts', "import '../keys/a.ts';", /audit lies below keys/],
  ['src/keys/a.ts', "import '../commands/verify.ts';", /keys lies below commands/],
  [
    'src/commands/a.ts',
    "import './verify.ts';",
    /a verb never calls a verb; what two of them share belongs in/,
  ],
  ['src/commands/a.ts', "import '../cli/run.ts';", /commands lies below cli/],
  ['src/cli/a.ts', "import '../utils/a.ts';", /no room that this test knows: give utils a height/],
  ['src/utils/a.ts', "import '../core/error.ts';", /no room that this test knows: give utils a height/],
  ['src/report/a.ts', "import a from '../../package.json';", /cli\/ reads the version, and hands it down/],
  ['src/keys/a.ts', 'process.env.HOME', /uses process\.env: it belongs in cli\/, which hands it down/],
  ['src/keys/a.ts', "process['exitCode'] = 1", /uses process\.exitCode: it belongs in cli/],
  ['src/keys/a.ts', 'const { argv } = process', /uses process\.argv: it belongs in cli/],
  ['src/keys/a.ts', "import { env } from 'node:process';", /the process is seen in cli/],
  ['src/commands/a.ts', 'key.reveal()', /reveals a secret: only stripe\/, store\/, sandbox\//],
  ['src/commands/a.ts', 'const { reveal } = key', /reveals a secret/],
  ['src/core/grant/a.ts', 'Date.now()', /uses Date\.now: the core is pure, .*; hand it what it needs/],
  ['src/core/grant/a.ts', 'new Date()', /uses new Date\(\): the core is pure/],
  ['src/core/grant/a.ts', 'fetch("x")', /uses fetch: the core is pure/],
  ['src/core/grant/a.ts', 'console.log(1)', /uses console: the core is pure/],
  [
    'src/keys/a.ts',
    `function long() {${'\n'.repeat(LONGEST_FUNCTION)}}`,
    /long has 91 lines\. Over 90, a second function is hiding in it/,
  ],
  ['src/keys/a.ts', `${'\n'.repeat(LONGEST_FILE)}a`, /has 331 lines\. Over 330, it holds two things/],
];

describe('a breach on purpose', () => {
  it.each(BREACHES)('%s: %s', (path, text, sentence) => {
    const sentences = wrongWith(path, text);
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toMatch(sentence);
    expect(sentences[0]).toContain(path);
  });

  it('is tried in every room', () => {
    const tried = new Set(BREACHES.map(([path]) => path.replace(/^src\//, '').replace(/\/[^/]*$/, '')));
    expect(Object.keys(HEIGHTS).filter((room) => ![...tried].some((path) => path.startsWith(room)))).toEqual(
      [],
    );
  });

  it.each<readonly [path: string, text: string]>([
    ['src/commands/a.ts', "import '../keys/rotate-key.ts';"],
    ['src/core/lock/a.ts', "import { z } from 'zod'; import '../grant/grant.ts'; new Date(0);"],
    ['src/cli/a.ts', "process.env.HOME; import('../commands/verify.ts');"],
    ['src/http/forward.ts', "import '../core/error.ts'; key.reveal()"],
    ['src/keys/a.ts', 'const env = { argv: 1 }; env.argv; process.on("exit", () => {})'],
  ])('is none: %s: %s', (path, text) => {
    expect(wrongWith(path, text)).toEqual([]);
  });
});
