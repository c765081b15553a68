import { dirname, join, normalize, relative } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

// What is never done in a module of src/, whatever it holds. CONTRIBUTING.md says what each room is for.

/** How high a room lies: an import goes down, never up, and never across between two rooms of one height. */
export const HEIGHTS: Readonly<Record<string, number>> = {
  core: 1,
  http: 2,
  'core/document': 2,
  'core/catalog': 2,
  'core/spend': 3,
  'core/profile': 4,
  'core/grant': 5,
  'core/probe': 6,
  'core/rules': 6,
  'core/settings': 7,
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

/** Where a secret may be revealed. */
const REVEALS = /^src\/(stripe|store|sandbox)\/|^src\/http\/forward\.ts$|^src\/keys\/lend-key\.ts$/;

const REVEALS_WHERE = 'only stripe/, store/, sandbox/, http/forward.ts and keys/lend-key.ts may.';

/** What the core may take from elsewhere. */
const PURE = /^(zod|yaml)$/;
/** What makes a module depend on when and where it runs. */
const IMPURE = /^(process|console|fetch|setTimeout|setInterval|setImmediate|Date\.now|Math\.random)$/;
/** What of the process is seen in cli/ alone. */
const OF_PROCESS = /^(argv|env|exitCode|exit)$/;

/** The longest function outside generated data, in lines. */
export const LONGEST_FUNCTION = 90;
/** The longest file outside generated data, in lines. */
export const LONGEST_FILE = 330;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** `src/core/grant/grant.ts` → `core/grant`; deeper folders belong to their room. */
function roomOf(path: string): string {
  const [room, inner, file] = path.replace(/^src\//, '').split('/');
  return room === 'core' && file !== undefined ? `core/${inner}` : (room ?? '');
}

/** What is wrong with an import, as a sentence that says where the thing belongs; undefined when nothing is. */
function wrongArrow(from: string, specifier: string): string | undefined {
  const a = roomOf(from);
  if (!specifier.startsWith('.')) {
    if (/^(node:)?process$/.test(specifier) && a !== 'cli')
      return `${from} imports ${specifier}: the process is seen in cli/, which hands down what is needed.`;
    return a.startsWith('core') && !PURE.test(specifier)
      ? `${from} imports ${specifier}: the core is pure, without I/O or clock.`
      : undefined;
  }
  const to = relative('.', normalize(join(dirname(from), specifier)));
  if (to === 'package.json')
    return a === 'cli' ? undefined : `${from} imports ${to}: cli/ reads the version, and hands it down.`;
  const b = roomOf(to);
  if (a === b && a !== 'commands') return undefined;
  const rule = NEVER.find((never) => never.from.test(a) && never.to.test(b));
  if (rule !== undefined) return `${from} imports ${to}: ${rule.why}.`;
  const [high, low] = [HEIGHTS[a], HEIGHTS[b]];
  if (high === undefined) return `${from} lies in no room that this test knows: give ${a} a height.`;
  if (low === undefined)
    return `${from} imports ${to}, which lies in no room that this test knows: give ${b} a height.`;
  if (high > low) return undefined;
  return `${from} imports ${to}: ${a} lies ${high === low ? 'beside' : 'below'} ${b}. What it needs belongs in a room below both, or is handed in by a room above.`;
}

/** Every node of a syntax tree, with the name that its nearest declaration gives it. */
function* nodesIn(tree: unknown, name = ''): Generator<readonly [Node, string]> {
  if (Array.isArray(tree)) for (const child of tree) yield* nodesIn(child, name);
  else if (typeof tree === 'object' && tree !== null) {
    const node = tree as Node;
    const named = nameOf(node.id) ?? nameOf(node.key) ?? name;
    if (typeof node.type === 'string') yield [node, named];
    for (const child of Object.values(node)) yield* nodesIn(child, named);
  }
}

function nameOf(node: unknown): string | undefined {
  const { name, value } = (node ?? {}) as { name?: unknown; value?: unknown };
  return typeof name === 'string' ? name : typeof value === 'string' ? value : undefined;
}

/** `object.property`, `object['property']` and `const { property } = object`, as pairs. */
function membersOf(node: Node): readonly (readonly [object: string, property: string])[] {
  if (node.type === 'MemberExpression') return [[nameOf(node.object) ?? '', nameOf(node.property) ?? '']];
  const pattern = (node.id ?? node.left) as Node | undefined;
  const source = nameOf(node.init ?? node.right);
  if (pattern?.type !== 'ObjectPattern' || source === undefined) return [];
  return (pattern.properties as Node[]).map((property) => [source, nameOf(property.key) ?? '']);
}

/** All that is wrong with one module: a sentence each, which says what to do instead. */
export function wrongWith(path: string, text: string): string[] {
  const room = roomOf(path);
  const found = new Set<string>();
  const add = (sentence: string | undefined) => sentence !== undefined && found.add(sentence);
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length;
  for (const [node, name] of nodesIn(parseAst(text, { lang: 'ts' }))) {
    const specifier = nameOf(node.source);
    if (/^(Import|Export)|^TSImportType/.test(node.type) && specifier !== undefined)
      add(wrongArrow(path, specifier));
    for (const [object, property] of membersOf(node)) {
      if (room !== 'cli' && object === 'process' && OF_PROCESS.test(property))
        add(`${path} uses process.${property}: it belongs in cli/, which hands it down.`);
      if (property === 'reveal' && !REVEALS.test(path)) add(`${path} reveals a secret: ${REVEALS_WHERE}`);
      const whole = IMPURE.test(object) ? object : `${object}.${property}`;
      if (room.startsWith('core') && IMPURE.test(whole))
        add(`${path} uses ${whole}: the core is pure, without I/O or clock; hand it what it needs.`);
    }
    const called = node.type === 'CallExpression' ? nameOf(node.callee) : undefined;
    const isNow = node.type === 'NewExpression' && nameOf(node.callee) === 'Date';
    if (room.startsWith('core') && isNow && (node.arguments as unknown[]).length === 0)
      add(`${path} uses new Date(): the core is pure, without I/O or clock; hand it what it needs.`);
    if (room.startsWith('core') && called !== undefined && IMPURE.test(called))
      add(`${path} uses ${called}: the core is pure, without I/O or clock; hand it what it needs.`);
    const lines = lineAt(node.end) - lineAt(node.start) + 1;
    if (/^(Function|ArrowFunction)/.test(node.type) && lines > LONGEST_FUNCTION)
      add(
        `${path}: ${name} has ${lines} lines. Over ${LONGEST_FUNCTION}, a second function is hiding in it.`,
      );
  }
  const lines = text.trimEnd().split('\n').length;
  if (lines > LONGEST_FILE)
    add(`${path} has ${lines} lines. Over ${LONGEST_FILE}, it holds two things: give each a file.`);
  return [...found];
}
