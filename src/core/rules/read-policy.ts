import type { Catalog } from '../catalog/catalog.ts';
import { isRecord } from '../document/is-record.ts';
import { didYouMean } from '../document/nearest.ts';
import { byPosition, shapeProblems } from '../document/shape-problem.ts';
import { readYaml, type YamlSource } from '../document/yaml-source.ts';
import { parseDuration } from '../duration.ts';
import type { Problem, SourceLocation } from '../error.ts';
import { guardKeys } from '../profile/guard-section.ts';
import { CAP_DIRECTIONS } from '../spend/cap.ts';
import { DENIABLE_TIERS, type Denied, type Policy, policySchema } from './policy.ts';

/** A policy, or all that is wrong with it. */
export type PolicyReading =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a policy file: YAML, shape, then every name against the catalog; all mistakes at once. */
export function readPolicy(text: string, file: string, catalog: Catalog): PolicyReading {
  const source = readYaml(text, file);
  if (source.problems.length > 0) return { ok: false, problems: source.problems };
  const shape = policySchema.safeParse(source.value);
  const problems = shape.success
    ? []
    : shape.error.issues.flatMap((issue) => shapeProblems(issue, source, keysAt));
  const resolve = new Resolver(source, catalog, problems);
  // Names are checked wherever the shape allows, so that one mistake does not hide another.
  const deny = (isRecord(source.value) && isRecord(source.value.deny) && source.value.deny) || {};
  const operations = resolve.list(deny.operations, ['deny', 'operations'], resolve.operation);
  const permissions = resolve.list(deny.permissions, ['deny', 'permissions'], resolve.permission);
  const except = (isRecord(source.value) && source.value.except) || [];
  const exceptions = (Array.isArray(except) ? except : []).map((entry: unknown, index) =>
    resolve.list(isRecord(entry) ? entry.deny : [], ['except', index, 'deny'], resolve.any),
  );
  const guard = isRecord(source.value) && isRecord(source.value.guard) ? source.value.guard : {};
  const never = resolve.list(guard.never, ['guard', 'never'], resolve.operation);
  const max = (Array.isArray(guard.max) ? guard.max : []).map((entry: unknown, index) =>
    resolve.list(
      isRecord(entry) ? entry.of : [],
      ['guard', 'max', index, 'of'],
      resolve.operationOrDirection,
    ),
  );
  if (!shape.success || problems.length > 0) return { ok: false, problems: problems.sort(byPosition) };
  const { data } = shape;
  const age = data.require?.maxKeyAge;
  return {
    ok: true,
    policy: {
      file,
      operations,
      permissions,
      risks: (data.deny?.risks ?? []).map((name, index) => ({
        name,
        location: source.valueAt(['deny', 'risks', index]),
      })),
      why: data.require?.why,
      untilOnAccepts: data.require?.until === 'accepts',
      ...(age === undefined
        ? {}
        : {
            maxKeyAge: {
              text: age,
              ms: parseDuration(age),
              location: source.valueAt(['require', 'maxKeyAge']),
            },
          }),
      seen: data.require?.seen ?? [],
      except: (data.except ?? []).map(({ profile, reason, until }, index) => ({
        profile,
        reason,
        deny: (exceptions[index] ?? []).map(({ name }) => name),
        until,
        location: source.valueAt(['except', index]),
      })),
      guard:
        data.guard === undefined
          ? undefined
          : {
              require: data.guard.require === 'caps',
              max: (guardKeys({ caps: data.guard.max ?? [] }).caps ?? []).map((cap, index) => ({
                ...cap,
                of: (max[index] ?? []).map(({ name }) => name),
                location: source.valueAt(['guard', 'max', index]),
              })),
              never,
              location: source.keyAt(['guard']),
            },
    },
  };
}

class Resolver {
  readonly #source: YamlSource;
  readonly #catalog: Catalog;
  readonly #problems: Problem[];

  constructor(source: YamlSource, catalog: Catalog, problems: Problem[]) {
    this.#source = source;
    this.#catalog = catalog;
    this.#problems = problems;
  }

  list(
    value: unknown,
    path: readonly PropertyKey[],
    resolve: (text: string, location: SourceLocation) => string | undefined,
  ): Denied<string>[] {
    if (!Array.isArray(value)) return [];
    return value.flatMap((text: unknown, index) => {
      if (typeof text !== 'string' || text === '') return [];
      const location = this.#source.valueAt([...path, index]);
      const name = resolve(text, location);
      return name === undefined ? [] : [{ name, location }];
    });
  }

  readonly operation = (text: string, location: SourceLocation): string | undefined => {
    const found = this.#catalog.find(text)?.name;
    if (found === undefined) this.#unknown('operation', text, location, this.#operationNames());
    return found;
  };

  readonly permission = (text: string, location: SourceLocation): string | undefined => {
    const found = this.#catalog.permissionByAnyName(text)?.name;
    if (found === undefined) this.#unknown('permission', text, location, this.#permissionNames());
    return found;
  };

  readonly operationOrDirection = (text: string, location: SourceLocation): string | undefined =>
    CAP_DIRECTIONS.find((direction) => direction === text) ?? this.operation(text, location);

  readonly any = (text: string, location: SourceLocation): string | undefined => {
    const tier = DENIABLE_TIERS.find((name) => name === text);
    const found = tier ?? this.#catalog.permissionByAnyName(text)?.name ?? this.#catalog.find(text)?.name;
    if (found === undefined) {
      const known = [...DENIABLE_TIERS, ...this.#permissionNames(), ...this.#operationNames()];
      this.#unknown('operation, permission or risk tier', text, location, known);
    }
    return found;
  };

  #operationNames(): string[] {
    return this.#catalog.operations.map(({ name }) => name);
  }

  #permissionNames(): string[] {
    return this.#catalog.permissions.map(({ name }) => name);
  }

  #unknown(what: string, text: string, location: SourceLocation, known: readonly string[]): void {
    this.#problems.push({
      message: `Unknown ${what} "${text}".`,
      location,
      hint: didYouMean(text, known) ?? '"keyaudit permissions --all" lists every name.',
    });
  }
}

function keysAt([first, ...rest]: readonly PropertyKey[]): readonly string[] {
  const { deny, require, except, guard } = policySchema.shape;
  if (first === undefined) return Object.keys(policySchema.shape);
  if (first === 'deny' && rest.length === 0) return Object.keys(deny.unwrap().shape);
  if (first === 'require') return Object.keys(require.unwrap().shape);
  if (first === 'guard') return Object.keys(guard.unwrap().shape);
  if (first === 'except') return Object.keys(except.unwrap().element.shape);
  return [];
}
