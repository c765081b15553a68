import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { expect, test } from 'vitest';

// The rooms of src/ and the arrows between them that are never drawn. CONTRIBUTING.md says what each room is for.

const root = join(import.meta.dirname, '..');

/** How high a room lies: an import goes down, never up, and never across between two rooms of one height. */
const HEIGHTS: Readonly<Record<string, number>> = {
  core: 1,
  http: 2,
  'core/document': 2,
  'core/catalog': 2,
  'core/spend': 3,
  'core/profile': 4,
  'core/grant': 5,
  'core/probe': 6,
  'core/rules': 6,
  'core/verdict': 7,
  'core/draft': 7,
  'core/result': 8,
  'core/calibrate': 8,
  'core/inspect': 8,
  gate: 8,
  'core/lock': 9,
  stripe: 9,
  store: 10,
  report: 10,
  sandbox: 11,
  guard: 11,
  record: 11,
  targets: 12,
  session: 13,
  audit: 14,
  keys: 15,
  commands: 16,
  cli: 17,
};

interface Never {
  readonly from: RegExp;
  readonly to: RegExp;
  readonly why: string;
}

/** Arrows that go down and are wrong all the same. */
const NEVER: readonly Never[] = [
  {
    from: /^http$/,
    to: /^(?!core$|http$)/,
    why: 'http knows bytes, requests and answers; what needs more belongs in gate, sandbox or guard',
  },
  {
    from: /^gate$/,
    to: /^(sandbox|guard|record|stripe|store|report)$/,
    why: 'the gate decides from the catalog and a set of permissions; what a server does with the decision belongs in that server',
  },
  {
    from: /^(sandbox|guard|record)$/,
    to: /^(stripe|report)$/,
    why: 'a server neither asks Stripe as a client nor words reports; clients belong in stripe/, words in report/',
  },
  {
    from: /^report$/,
    to: /^store$/,
    why: 'a report is rendered from what it is handed; reading and writing files belongs in store/ or session/',
  },
  {
    from: /^store$/,
    to: /^stripe$/,
    why: 'what is kept on disk does not depend on how Stripe is asked; what both need belongs in core/',
  },
  { from: /^stripe$/, to: /^store$/, why: 'asking Stripe needs no disk; what both need belongs in core/' },
  {
    from: /^commands$/,
    to: /^commands$/,
    why: 'a verb never calls a verb; what two of them share belongs in session/, audit/ or keys/',
  },
  { from: /^core/, to: /^(?!core)/, why: 'the core is pure and knows no other room; hand it what it needs' },
];

/** Today's breaches; the list only ever shrinks. */
const EXCEPTIONS: ReadonlySet<string> = new Set([]);
/** Files that reveal a secret and should not; the list only ever shrinks. */
const REVEALING: ReadonlySet<string> = new Set([]);

/** Where a secret may be revealed. */
const REVEALS = /^src\/(stripe|store|sandbox)\/|^src\/http\/forward\.ts$|^src\/keys\/lend-key\.ts$/;

interface Arrow {
  readonly from: string;
  readonly to: string;
}

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => `src/${path}`)
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('/data/'))
  .sort();

/** `src/core/grant/grant.ts` → `core/grant`; deeper folders belong to their room. */
function roomOf(path: string): string {
  const [room, inner, file] = path.replace(/^src\//, '').split('/');
  return room === 'core' && file !== undefined ? `core/${inner}` : (room ?? '');
}

/** Every specifier that a module imports, types included. */
function specifiersIn(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) for (const child of node) specifiersIn(child, found);
  else if (typeof node === 'object' && node !== null) {
    const { type, source } = node as { type?: string; source?: { value?: unknown } };
    if (
      type !== undefined &&
      /^(Import|Export)|^TSImportType/.test(type) &&
      typeof source?.value === 'string'
    )
      found.push(source.value);
    for (const child of Object.values(node)) specifiersIn(child, found);
  }
  return found;
}

/** `object.property` wherever it stands, as text. */
function membersIn(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) for (const child of node) membersIn(child, found);
  else if (typeof node === 'object' && node !== null) {
    const { type, object, property } = node as {
      type?: string;
      object?: { name?: string };
      property?: { name?: string };
    };
    if (type === 'MemberExpression') found.push(`${object?.name ?? ''}.${property?.name ?? ''}`);
    for (const child of Object.values(node)) membersIn(child, found);
  }
  return found;
}

const parsed = new Map(
  files.map((path) => {
    const tree = parseAst(readFileSync(join(root, path), 'utf8'), { lang: 'ts' });
    return [path, { imports: specifiersIn(tree), members: membersIn(tree) }] as const;
  }),
);

function arrowsOf(path: string): { inside: Arrow[]; outside: string[] } {
  const specifiers = parsed.get(path)?.imports ?? [];
  return {
    inside: specifiers
      .filter((one) => one.startsWith('.'))
      .map((one) => ({ from: path, to: relative('.', normalize(join(dirname(path), one))) })),
    outside: specifiers.filter((one) => !one.startsWith('.')),
  };
}

/** What is wrong with an arrow, as a sentence that says where the thing belongs; undefined when nothing is. */
function wrongWith({ from, to }: Arrow): string | undefined {
  const [a, b] = [roomOf(from), roomOf(to)];
  if (a === b && a !== 'commands') return undefined;
  const rule = NEVER.find((one) => one.from.test(a) && one.to.test(b));
  if (rule !== undefined) return `${from} imports ${to}: ${rule.why}.`;
  const [high, low] = [HEIGHTS[a], HEIGHTS[b]];
  if (high === undefined) return `${from} lies in no room that this test knows: give ${a} a height.`;
  if (low === undefined)
    return `${from} imports ${to}, which lies in no room that this test knows: give ${b} a height.`;
  if (high > low) return undefined;
  return `${from} imports ${to}: ${a} lies ${high === low ? 'beside' : 'below'} ${b}. What it needs belongs in a room below both, or is handed in by a room above.`;
}

const breaches = files
  .flatMap((path) => arrowsOf(path).inside)
  .flatMap((arrow) => {
    const sentence = wrongWith(arrow);
    return sentence === undefined ? [] : [{ arrow: `${arrow.from} → ${arrow.to}`, sentence }];
  });

test('no arrow between rooms goes up, across, or where none is ever drawn', () => {
  expect(breaches.filter(({ arrow }) => !EXCEPTIONS.has(arrow)).map(({ sentence }) => sentence)).toEqual([]);
});

test('every exception is still a breach', () => {
  const known = new Set(breaches.map(({ arrow }) => arrow));
  expect([...EXCEPTIONS].filter((arrow) => !known.has(arrow))).toEqual([]);
});

test('the core takes nothing from outside but what is pure', () => {
  const pure = /^(zod|yaml)$/;
  const impure = files
    .filter((path) => path.startsWith('src/core/'))
    .flatMap((path) =>
      arrowsOf(path)
        .outside.filter((name) => !pure.test(name))
        .map((name) => `${path} imports ${name}: the core is pure, without I/O or clock.`),
    );
  expect(impure).toEqual([]);
});

const PROCESS = /^process\.(argv|env|exitCode|exit)$/;

test('argv, env and the exit code are seen in cli/ alone', () => {
  const elsewhere = files
    .filter((path) => !path.startsWith('src/cli'))
    .flatMap((path) =>
      (parsed.get(path)?.members ?? [])
        .filter((member) => PROCESS.test(member))
        .map((member) => `${path} uses ${member}: it belongs in cli/, which hands it down.`),
    );
  expect(elsewhere).toEqual([]);
});

test('a secret is revealed where it leaves the program, and nowhere else', () => {
  const elsewhere = files
    .filter((path) => !REVEALS.test(path) && !REVEALING.has(path))
    .flatMap((path) =>
      (parsed.get(path)?.members ?? [])
        .filter((member) => member.endsWith('.reveal'))
        .map(
          () =>
            `${path} reveals a secret: only stripe/, store/, sandbox/, http/forward.ts and keys/lend-key.ts may.`,
        ),
    );
  expect(elsewhere).toEqual([]);
});
