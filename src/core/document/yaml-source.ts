import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Problem, SourceLocation } from '../error.ts';

/** A YAML text with its values and a position for every one of them. */
export interface YamlSource {
  readonly file: string;
  /** The plain value; undefined when the YAML is broken. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Where the value at `path` stands; the nearest existing parent when it is missing. */
  valueAt(path: readonly PropertyKey[]): SourceLocation;
  /** Where the key at the end of `path` stands. */
  keyAt(path: readonly PropertyKey[]): SourceLocation;
}

/** What follows the first few syntax errors are mostly their consequences. */
const MOST_SYNTAX_ERRORS = 10;

/** Parses YAML 1.2; every syntax error (duplicate keys too) becomes a problem with line and column. */
export function readYaml(text: string, file: string): YamlSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    // Its own check compares each key with all before it, which takes seconds for ten thousand of them.
    uniqueKeys: false,
    strict: true,
    // `<<: *base` is what people write, in whichever version of YAML.
    merge: true,
    // No tag makes anything but plain maps, lists and texts; an unknown one is an error, not a guess.
    resolveKnownTags: false,
    // Errors only: as warnings yaml writes to standard error by itself.
    logLevel: 'error',
  });
  const at = (offset: number): SourceLocation => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const unknownTags = document.warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED');
  const problems: Problem[] = [...document.errors, ...unknownTags, ...repeatedKeys(document.contents)]
    .sort((a, b) => a.pos[0] - b.pos[0])
    .slice(0, MOST_SYNTAX_ERRORS)
    .map((error) => ({
      message: `The YAML is broken: ${lowerFirst(error.message.replace(/\.?$/, '.'))}`,
      hint: yamlHint(error.code),
      location: at(error.pos[0]),
    }));
  const pairsOf = pairIndex();
  let value: unknown;
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      problems.push({
        message: `The YAML cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        location: at(0),
      });
    }
  }
  return {
    file,
    value,
    problems,
    valueAt: (path) => at(offsetOf(document, path, 'value', pairsOf)),
    keyAt: (path) => at(offsetOf(document, path, 'key', pairsOf)),
  };
}

interface SyntaxError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, ...number[]];
}

function repeatedKeys(node: unknown): SyntaxError[] {
  if (isSeq(node)) return node.items.flatMap(repeatedKeys);
  if (!isMap(node)) return [];
  const seen = new Set<unknown>();
  return node.items.flatMap(({ key, value }) => {
    const below = [...repeatedKeys(key), ...repeatedKeys(value)];
    if (!isScalar(key)) return below;
    const repeated = seen.has(key.value);
    seen.add(key.value);
    const pos = [key.range?.[0] ?? 0] as const;
    return repeated ? [{ code: 'DUPLICATE_KEY', message: 'Map keys must be unique', pos }, ...below] : below;
  });
}

/** The pairs of maps by their keys, found once a map. */
function pairIndex(): (map: YAMLMap) => ReadonlyMap<string, Pair> {
  const known = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();
  return (map) => {
    const pairs =
      known.get(map) ??
      new Map(map.items.map((pair) => [String(isScalar(pair.key) ? pair.key.value : pair.key), pair]));
    known.set(map, pairs);
    return pairs;
  };
}

function offsetOf(
  document: Document.Parsed,
  path: readonly PropertyKey[],
  which: 'key' | 'value',
  pairsOf: ReturnType<typeof pairIndex>,
): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair = pairsOf(node).get(String(step));
      if (pair === undefined) return offset;
      const key = pair.key as Node | null;
      const child = pair.value as Node | null;
      offset = (last && which === 'key' ? key?.range?.[0] : child?.range?.[0]) ?? key?.range?.[0] ?? offset;
      node = child;
    } else if (isSeq(node)) {
      node = (node.items[Number(step)] as Node | undefined) ?? null;
      if (node === null) return offset;
      offset = node.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function yamlHint(code: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'Write each key once.';
    case 'TAB_AS_INDENT':
      return 'Indent with blanks, not tabs.';
    case 'TAG_RESOLVE_FAILED':
      return 'Remove the tag, the word that begins with "!".';
    case 'MULTIPLE_DOCS':
      return 'Write one profile a file.';
    default:
      return 'Check indentation, colons and quotes around here.';
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
