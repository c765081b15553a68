import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

const ROOT = join(import.meta.dirname, '../../..');

/** A text in the source that names a command of keyaudit; what is put into it stands as `${…}`. */
export interface HintLiteral {
  /** From src/. */
  readonly file: string;
  readonly text: string;
}

/** The verbs of docs/cli.md. */
const VERBS = [
  ...new Set(
    [...readFileSync(join(ROOT, 'docs/cli.md'), 'utf8').matchAll(/^## `keyaudit ([a-z-]+)/gm)].map(
      ([, name = '']) => name,
    ),
  ),
];

const NAMES_A_COMMAND = new RegExp(`\\bkeyaudit (?:${VERBS.join('|')})\\b`);

/** Where commands are named that are no hints: help texts, with their examples, and what shells complete. */
const NO_HINTS = /^cli\/(?:verbs\/|program\.ts|completion\/)/;

/** Every text of src/ that names a command, once for each file. */
export function hintLiterals(): readonly HintLiteral[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?<!\.test)\.ts$/.test(file) && !file.includes('/data/') && !NO_HINTS.test(file))
    .sort();
  return files.flatMap((file) => {
    const source = readFileSync(join(ROOT, 'src', file), 'utf8');
    if (!source.includes('keyaudit ')) return [];
    const texts = new Set(textsIn(parseAst(source, { lang: 'ts' }), source));
    return [...texts].filter((text) => NAMES_A_COMMAND.test(text)).map((text) => ({ file, text }));
  });
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly value?: unknown;
  readonly quasis?: readonly { readonly value: { readonly cooked: string } }[];
  readonly expressions?: readonly Node[];
}

function* textsIn(tree: unknown, source: string): Generator<string> {
  if (Array.isArray(tree)) for (const child of tree) yield* textsIn(child, source);
  else if (typeof tree === 'object' && tree !== null) {
    const node = tree as Node;
    if (node.type === 'Literal' && typeof node.value === 'string') yield node.value;
    if (node.type === 'TemplateLiteral') {
      const parts = node.quasis ?? [];
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it stands for what is put in
      yield parts.map(({ value }, at) => value.cooked + (at < parts.length - 1 ? '${…}' : '')).join('');
    }
    for (const child of Object.values(node)) yield* textsIn(child, source);
  }
}
