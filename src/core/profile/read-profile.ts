import type { Catalog, Level } from '../catalog/catalog.ts';
import { isRecord } from '../document/is-record.ts';
import { byPosition } from '../document/shape-problem.ts';
import { readYaml, type YamlSource } from '../document/yaml-source.ts';
import type { Problem, SourceLocation } from '../error.ts';
import { nearestOperation, resourceAdvice } from './names/nearest-name.ts';
import { scopeAdvice } from './names/scope-name.ts';
import { successorOf, successorText } from './names/successor.ts';
import {
  type Acceptance,
  acceptEntrySchema,
  levelSchema,
  type NamedOperation,
  type PermissionEntry,
  type ProfileDocument,
  type ProfileFile,
  profileSchema,
} from './profile.ts';
import { profileShapeProblems } from './profile-shape-problems.ts';
import { readGuard } from './read-guard.ts';

/** A profile file, or all that is wrong with it. */
export type ProfileReading =
  | { readonly ok: true; readonly profile: ProfileFile }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads one profile file: YAML, shape, then every name against the catalog. All mistakes are
 * reported at once, each with its position and the nearest valid name.
 */
export function readProfile(text: string, file: string, catalog: Catalog): ProfileReading {
  const source = readYaml(text, file);
  if (source.problems.length > 0) return { ok: false, problems: source.problems };
  const shape = profileSchema.safeParse(source.value);
  const guard = readGuard(source, catalog);
  const problems = [
    ...(shape.success ? [] : shape.error.issues)
      .filter(({ path }) => path[0] !== 'guard')
      .flatMap((issue) => profileShapeProblems(issue, source)),
    ...guard.problems,
  ];
  const reader = new NameReader(source, catalog);
  const names = reader.read(isRecord(source.value) ? source.value : {});
  problems.push(...reader.problems);
  if (!shape.success || problems.length > 0) {
    return { ok: false, problems: problems.sort(byPosition) };
  }
  return { ok: true, profile: { ...assemble(shape.data, names, source), guard: guard.guard } };
}

interface Names {
  readonly permissions: readonly PermissionEntry[];
  readonly connectPermissions: readonly PermissionEntry[];
  readonly allow: readonly NamedOperation[];
  readonly forbid: readonly NamedOperation[];
  readonly accept: readonly Acceptance[];
}

function assemble(document: ProfileDocument, names: Names, source: YamlSource): ProfileFile {
  const parents = document.extends === undefined ? [] : [document.extends].flat();
  return {
    file: source.file,
    name: document.name,
    location: source.valueAt(['name']),
    description: document.description,
    env: document.env,
    extends: parents.map((name, index) => ({
      name,
      location: source.valueAt(Array.isArray(document.extends) ? ['extends', index] : ['extends']),
    })),
    ...names,
    widening: document.widening,
    only: document.only,
    rate: document.rate,
  };
}

/**
 * Resolves names in whatever parts of the document have the right shape, so that a misspelt level
 * at the top does not hide a misspelt operation at the bottom.
 */
class NameReader {
  readonly problems: Problem[] = [];
  readonly #source: YamlSource;
  readonly #catalog: Catalog;
  #known: readonly string[] | undefined;

  constructor(source: YamlSource, catalog: Catalog) {
    this.#source = source;
    this.#catalog = catalog;
  }

  read(document: Record<string, unknown>): Names {
    const checks = isRecord(document.checks) ? document.checks : {};
    return {
      permissions: this.#permissions(document.permissions, 'permissions'),
      connectPermissions: this.#permissions(document.connect_permissions, 'connect_permissions'),
      allow: this.#operations(checks.allow, ['checks', 'allow']),
      forbid: this.#operations(checks.forbid, ['checks', 'forbid']),
      accept: this.#acceptances(document.accept),
    };
  }

  #permissions(value: unknown, key: string): PermissionEntry[] {
    if (!isRecord(value)) return [];
    return Object.entries(value).flatMap(([name, entry]) => {
      const location = this.#source.keyAt([key, name]);
      const written = typeof entry === 'string' ? { level: entry } : isRecord(entry) ? entry : {};
      const level = levelSchema.safeParse(written.level);
      const raw = this.#nameOfPermission(name, location, level.data);
      if (raw === undefined || !level.success) return [];
      const why = typeof written.why === 'string' ? { why: written.why } : {};
      return [{ name, raw, level: level.data, ...why, location }];
    });
  }

  /** Whether `name` is a raw permission name; undefined, with a problem, when it is no name at all. */
  #nameOfPermission(name: string, location: SourceLocation, level: Level | undefined): boolean | undefined {
    if (this.#catalog.operationsIn(name).length > 0) return false;
    const permission = this.#catalog.permissionByAnyName(name);
    if (permission === undefined) {
      const scope = scopeAdvice(name, this.#catalog);
      if (scope !== undefined) this.#problem(scope.message, location, scope.hint);
      else this.#problem(`Unknown resource "${name}".`, location, this.#resourceHint(name));
      return undefined;
    }
    if (permission.name !== name) {
      this.#problem(
        `"${name}" is the older spelling of a permission.`,
        location,
        `Write "${permission.name}".`,
      );
      return undefined;
    }
    if (level !== undefined && level !== 'none' && level !== permission.level) {
      const message = `The permission ${name} has level ${permission.level}, not ${level}.`;
      this.#problem(message, location, `Write "${name}: ${permission.level}".`);
      return undefined;
    }
    return true;
  }

  #operations(value: unknown, path: readonly PropertyKey[]): NamedOperation[] {
    if (!Array.isArray(value)) return [];
    return value.flatMap((text: unknown, index) => {
      if (typeof text !== 'string' || text === '') return [];
      const location = this.#source.valueAt([...path, index]);
      const operation = this.#catalog.find(text);
      if (operation === undefined) {
        this.#problem(`Unknown operation "${text}".`, location, this.#operationHint(text));
        return [];
      }
      return [{ operation: operation.name, location }];
    });
  }

  #acceptances(value: unknown): Acceptance[] {
    if (!Array.isArray(value)) return [];
    return value.flatMap((entry: unknown, index) => {
      if (!isRecord(entry)) return [];
      const operations = this.#operations(entry.operations, ['accept', index, 'operations']);
      const shape = acceptEntrySchema.safeParse(entry);
      if (!shape.success) return [];
      const { reason, until } = shape.data;
      const location = this.#source.valueAt(['accept', index]);
      return [{ operations, reason, until, location }];
    });
  }

  #resourceHint(name: string): string {
    if (this.problems.length > MOST_ADVICE) return resourceHint;
    this.#known ??= [...this.#catalog.resources, ...this.#catalog.permissions.map((known) => known.name)];
    return resourceAdvice(name, this.#known, this.#catalog) ?? resourceHint;
  }

  #operationHint(text: string): string {
    const successor = successorOf(text);
    if (successor !== undefined) return successorText(successor);
    if (this.problems.length > MOST_ADVICE) return operationHint;
    const near = nearestOperation(text, this.#catalog) ?? nearestOperation(camel(text), this.#catalog);
    return near === undefined ? operationHint : `Did you mean "${near}"?`;
  }

  #problem(message: string, location: SourceLocation, hint: string): void {
    this.problems.push({ message, location, hint });
  }
}

/** To look for the nearest name takes some milliseconds, and nobody reads a thousand of them. */
const MOST_ADVICE = 20;

const resourceHint = '"keyaudit resources" lists every resource.';
const operationHint = '"keyaudit permissions --all" lists every operation.';

function camel(text: string): string {
  return text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
