import type { Catalog } from '../catalog/catalog.ts';
import { DIRECTIONS, type Direction } from '../catalog/money-rule.ts';
import { didYouMean } from '../document/nearest.ts';
import { shapeProblems, valueAt } from '../document/shape-problem.ts';
import type { YamlSource } from '../document/yaml-source.ts';
import type { Problem } from '../error.ts';
import { type GuardKeys, guardKeys, guardSchema } from './guard-section.ts';

/** A `guard` section, or all that is wrong with it. */
export interface GuardReading {
  readonly guard?: GuardKeys;
  readonly problems: readonly Problem[];
}

/** Reads the `guard` section of a profile: its shape, then every name against the catalog. */
export function readGuard(source: YamlSource, catalog: Catalog): GuardReading {
  const value = valueAt(source.value, ['guard']);
  if (value === undefined) return { problems: [] };
  const shape = guardSchema.safeParse(value);
  const problems: Problem[] = shape.success
    ? []
    : shape.error.issues.flatMap((issue) => problemsOf({ ...issue, path: ['guard', ...issue.path] }, source));
  const names = new NameCheck(source, catalog, problems);
  const caps = valueAt(value, ['caps']);
  if (Array.isArray(caps)) {
    caps.forEach((_cap, index) => {
      names.check(['guard', 'caps', index, 'of'], DIRECTIONS);
    });
  }
  names.check(['guard', 'unpriced', 'of'], []);
  if (!shape.success || problems.length > 0) return { problems };
  const keys = guardKeys(shape.data);
  const { unpriced } = keys;
  return {
    guard: {
      ...keys,
      caps: keys.caps?.map((cap, index) => ({
        ...cap,
        of: cap.of.map((name) => names.canonical(name)),
        location: source.valueAt(['guard', 'caps', index]),
      })),
      unpriced:
        unpriced === undefined
          ? undefined
          : { ...unpriced, of: unpriced.of.map((name) => names.canonical(name)) },
      location: source.keyAt(['guard']),
    },
    problems,
  };
}

type Issue = Parameters<typeof shapeProblems>[0];

function problemsOf(issue: Issue, source: YamlSource): Problem[] {
  const given = valueAt(source.value, issue.path);
  if (issue.code === 'invalid_union') {
    // An amount is a text or a list of texts: what is wrong inside of the branch that was meant is told.
    const branch = issue.errors.find((errors) =>
      errors.every(({ code, path }) => code === 'custom' || (Array.isArray(given) && path.length > 0)),
    );
    if (branch !== undefined) {
      return branch.flatMap((error) =>
        problemsOf({ ...error, path: [...issue.path, ...error.path] } as Issue, source),
      );
    }
    return [
      {
        message: `${JSON.stringify(given)} is no amount: ${typeof given === 'number' ? 'its currency is missing' : 'it is no text'}.`,
        location: source.valueAt(issue.path),
        hint: 'Write a number and a currency, such as "50.00 usd".',
      },
    ];
  }
  if (issue.code === 'custom') {
    return [{ message: `guard: ${issue.message}.`, location: source.valueAt(issue.path) }];
  }
  return shapeProblems(issue, source, keysAt);
}

function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 1) return Object.keys(guardSchema.shape);
  if (path[1] === 'caps') return ['per', 'amount', 'calls', 'of'];
  return path[1] === 'unpriced' ? ['calls', 'of'] : [];
}

class NameCheck {
  readonly #source: YamlSource;
  readonly #catalog: Catalog;
  readonly #problems: Problem[];

  constructor(source: YamlSource, catalog: Catalog, problems: Problem[]) {
    this.#source = source;
    this.#catalog = catalog;
    this.#problems = problems;
  }

  check(path: readonly PropertyKey[], also: readonly string[]): void {
    const names = valueAt(this.#source.value, path);
    if (!Array.isArray(names)) return;
    names.forEach((name: unknown, index) => {
      if (typeof name !== 'string' || name === '' || also.includes(name)) return;
      if (this.#catalog.find(name) !== undefined) return;
      const known = [...also, ...this.#catalog.operations.map((operation) => operation.name)];
      this.#problems.push({
        message: `Unknown operation "${name}".`,
        location: this.#source.valueAt([...path, index]),
        hint: didYouMean(name, known) ?? 'See "keyaudit permissions --all" for every operation.',
      });
    });
  }

  canonical(name: string): string {
    return DIRECTIONS.includes(name as Direction) ? name : (this.#catalog.find(name)?.name ?? name);
  }
}
