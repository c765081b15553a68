import type { z } from 'zod';
import type { Catalog, Level } from '../catalog/catalog.ts';
import { nearestOperation, resourceAdvice } from '../catalog/names/nearest-name.ts';
import { scopeAdvice } from '../catalog/names/scope-name.ts';
import { successorOf, successorText } from '../catalog/names/successor.ts';
import { didYouMean } from '../document/nearest.ts';
import { byPosition, describePath, valueAt } from '../document/shape-problem.ts';
import { readYaml, type YamlSource } from '../document/yaml-source.ts';
import type { Problem, SourceLocation } from '../error.ts';
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
import { readGuard } from './read-guard.ts';
import { variableFault } from './variable-name.ts';

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
      .flatMap((issue) => shapeProblems(issue, source)),
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

/** Turns zod's issues into sentences in the profile's own words. */
function shapeProblems(issue: z.core.$ZodIssue, source: YamlSource): Problem[] {
  const where = describePath(issue.path);
  const given = valueAt(source.value, issue.path);
  const fault = where === 'env' && typeof given === 'string' ? variableFault(given) : undefined;
  if (fault !== undefined) {
    return [{ message: `env ${fault.message}`, location: source.valueAt(issue.path), hint: fault.hint }];
  }
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        message: `Unknown key "${key}"${where === '' ? '' : ` in ${where}`}.`,
        location: source.keyAt([...issue.path, key]),
        hint: didYouMean(key, keysAt(issue.path)) ?? `Valid keys: ${keysAt(issue.path).join(', ')}.`,
      }));
    case 'invalid_union':
      return unionProblems(issue, source);
    case 'invalid_value': {
      if (given === undefined) return [missing(issue.path, source)];
      const values = issue.values.map(String);
      return [
        {
          message: `${JSON.stringify(given)} is not a valid ${where === '' ? 'value' : `value for ${where}`}.`,
          location: source.valueAt(issue.path),
          hint: [
            typeof given === 'string' ? didYouMean(given, values) : undefined,
            `Valid: ${values.join(', ')}.`,
          ]
            .filter((part) => part !== undefined)
            .join(' '),
        },
      ];
    }
    case 'invalid_type': {
      if (issue.path.length > 0 && given === undefined) {
        return [missing(issue.path, source)];
      }
      const what = where === '' ? 'A profile' : where;
      return [
        {
          message: `${what} must be ${article(issue.expected)}, not ${kindOf(given)}.`,
          location: source.valueAt(issue.path),
          hint:
            where === ''
              ? 'Begin with "name:" and "permissions:".'
              : `See "keyaudit profiles show refund-agent" for an example.`,
        },
      ];
    }
    default:
      return [
        {
          message: `${where === '' ? 'The profile' : where} is not valid: ${issue.message.replace(/^Invalid string: /, '')}.`,
          location: source.valueAt(issue.path),
          hint: formatHint(issue.path),
        },
      ];
  }
}

/** A permission entry is a level or a map; only the branch that the user evidently meant is reported. */
function unionProblems(issue: z.core.$ZodIssueInvalidUnion, source: YamlSource): Problem[] {
  const given = valueAt(source.value, issue.path);
  const where = describePath(issue.path);
  if (isRecord(given) || Array.isArray(given)) {
    const branch = issue.errors.find((errors) =>
      errors.every((error) => error.path.length > 0 || error.code === 'unrecognized_keys'),
    );
    const inner = branch?.map(
      (error) => ({ ...error, path: [...issue.path, ...error.path] }) as z.core.$ZodIssue,
    );
    if (inner !== undefined && inner.length > 0)
      return inner.flatMap((error) => shapeProblems(error, source));
  }
  if (issue.path[0] === 'permissions' || issue.path[0] === 'connect_permissions') {
    const near = typeof given === 'string' ? didYouMean(given, levelSchema.options) : undefined;
    return [
      {
        message: `${JSON.stringify(given)} is not a level (${where}).`,
        location: source.valueAt(issue.path),
        hint: `${near === undefined ? '' : `${near} `}Levels are none, read and write.`,
      },
    ];
  }
  return [
    {
      message: `${where} must be a name or a list of names.`,
      location: source.valueAt(issue.path),
      hint: 'Write "extends: other-profile" or a list.',
    },
  ];
}

function missing(path: readonly PropertyKey[], source: YamlSource): Problem {
  const parent = path.slice(0, -1);
  const key = String(path.at(-1));
  return {
    message: `"${key}" is missing${parent.length === 0 ? '' : ` in ${describePath(parent)}`}.`,
    location: source.valueAt(parent),
    hint: missingHints[key] ?? `Add "${key}:".`,
  };
}

const missingHints: Record<string, string> = {
  name: 'Add "name:", the name of the archetype, such as "name: refund-agent".',
  reason: 'Say why this widening is acceptable: "reason: …".',
  level: 'Add "level: none", "read" or "write".',
};

function formatHint(path: readonly PropertyKey[]): string {
  switch (path.at(-1)) {
    case 'until':
      return 'Write a date as YYYY-MM-DD.';
    case 'rate':
      return 'A number of probes a second, above 0 and at most 100.';
    case 'name':
      return 'Use letters, digits, ".", "_" and "-".';
    default:
      return 'It must not be empty.';
  }
}

function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(profileSchema.shape);
  if (path[0] === 'checks') return ['allow', 'forbid'];
  if (path[0] === 'accept') return ['operations', 'reason', 'until'];
  return ['level', 'why'];
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : article(typeof value);
}

function article(kind: string): string {
  const names: Record<string, string> = {
    object: 'a map',
    record: 'a map',
    array: 'a list',
    string: 'a text',
  };
  return names[kind] ?? `a ${kind}`;
}

function camel(text: string): string {
  return text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
