import type { DeclaredFields, DeclaredType, DeclaredTypes } from '../../core/catalog/declared-types.ts';
import { isRecord } from '../../core/document/is-record.ts';

/** Where a value is not as its type says. */
export interface Misfit {
  readonly path: readonly (string | number)[];
  readonly problem: 'wrong' | 'missing' | 'unknown';
  /** What would fit, in words: `integer`, `one of a, b`; for what is unknown, the names that are known. */
  readonly expected: readonly string[];
}

export interface MisfitOptions {
  /** A part may lack what it requires, and decimals may be numbers: what a person writes. */
  readonly partial: boolean;
}

type Path = Misfit['path'];

/** Every place where a value is not as a declared type says. */
export function misfits(
  value: unknown,
  type: DeclaredType,
  types: DeclaredTypes,
  { partial }: MisfitOptions = { partial: false },
): readonly Misfit[] {
  return new Checker(types, partial).check(value, type, []);
}

class Checker {
  readonly #types: DeclaredTypes;
  readonly #partial: boolean;

  constructor(types: DeclaredTypes, partial: boolean) {
    this.#types = types;
    this.#partial = partial;
  }

  check(value: unknown, type: DeclaredType, path: Path): readonly Misfit[] {
    if (value === null) return type.nullable || type.kind === 'any' ? [] : [wrong(path, type)];
    switch (type.kind) {
      case 'array':
        return Array.isArray(value)
          ? value.flatMap((one, index) => this.check(one, type.of, [...path, index]))
          : [wrong(path, type)];
      case 'list':
        return this.#list(value, type, path);
      case 'part':
        return isRecord(value) ? this.#fields(value, this.#types.fieldsOf(type), path) : [wrong(path, type)];
      case 'object':
        return isRecord(value) && (value.object === undefined || value.object === type.name)
          ? this.#fields(value, this.#types.fieldsOf(type), path)
          : [wrong(path, type)];
      case 'union':
        return this.#union(value, type, path);
      default:
        return this.#isScalar(value, type) ? [] : [wrong(path, type)];
    }
  }

  #isScalar(value: unknown, type: DeclaredType): boolean {
    switch (type.kind) {
      case 'string':
        return typeof value === 'string';
      case 'enum':
        return typeof value === 'string' && type.values.includes(value);
      case 'integer':
        return Number.isSafeInteger(value);
      case 'number':
        return typeof value === 'number' && Number.isFinite(value);
      case 'decimal':
      case 'int64':
        return this.#partial && typeof value === 'number'
          ? Number.isFinite(value)
          : typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value);
      case 'boolean':
        return typeof value === 'boolean';
      case 'true':
        return value === true;
      case 'map':
        return isRecord(value) && Object.values(value).every((one) => typeof one === 'string');
      default:
        return true;
    }
  }

  #list(
    value: unknown,
    type: Extract<DeclaredType, { kind: 'array' | 'list' }>,
    path: Path,
  ): readonly Misfit[] {
    if (!isRecord(value) || !Array.isArray(value.data)) return [wrong(path, type)];
    const isWhole =
      value.object === 'list' || value.object === 'search_result'
        ? typeof value.has_more === 'boolean' && typeof value.url === 'string'
        : isPageOfV2(value);
    return [
      ...(isWhole || this.#partial ? [] : [wrong(path, type)]),
      ...value.data.flatMap((one, index) => this.check(one, type.of, [...path, 'data', index])),
    ];
  }

  #fields(value: Fields, declared: DeclaredFields, path: Path): readonly Misfit[] {
    const found: Misfit[] = [];
    for (const [name, one] of Object.entries(value)) {
      const field = declared.get(name);
      if (field !== undefined) {
        if (one !== undefined) found.push(...this.check(one, field.type, [...path, name]));
      } else found.push({ path: [...path, name], problem: 'unknown', expected: [...declared.keys()] });
    }
    for (const { name, optional, type } of this.#partial ? [] : declared.values()) {
      if (optional || value[name] !== undefined) continue;
      found.push({ path: [...path, name], problem: 'missing', expected: words(type) });
    }
    return found;
  }

  /** What is nearest to one of the members tells most. */
  #union(value: unknown, type: Extract<DeclaredType, { kind: 'union' }>, path: Path): readonly Misfit[] {
    let nearest: readonly Misfit[] | undefined;
    for (const member of type.members) {
      const found = this.check(value, member, path);
      if (found.length === 0) return found;
      const isWhole = found.some((one) => one.path.length === path.length);
      if (!isWhole && (nearest === undefined || found.length < nearest.length)) nearest = found;
    }
    return nearest ?? [wrong(path, type)];
  }
}

function isPageOfV2({ object, next_page_url: next, previous_page_url: previous }: Fields): boolean {
  return object === undefined && [next, previous].every((url) => url === null || typeof url === 'string');
}

type Fields = Readonly<Record<string, unknown>>;

function wrong(path: Path, type: DeclaredType): Misfit {
  return { path, problem: 'wrong', expected: words(type) };
}

function words(type: DeclaredType): readonly string[] {
  switch (type.kind) {
    case 'enum':
      return type.values;
    case 'union':
      return [...new Set(type.members.flatMap(words))];
    case 'object':
      return [type.name];
    case 'part':
    case 'map':
      return ['map'];
    case 'true':
      return ['true'];
    default:
      return [type.kind];
  }
}
