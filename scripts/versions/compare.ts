import type {
  DeclaredField,
  DeclaredFields,
  DeclaredType,
  DeclaredTypes,
} from '../../src/core/catalog/declared-types.ts';
import type { ExpandableField } from '../../src/core/catalog/expansion.ts';
import { encodeField } from '../../src/core/catalog/expansion.ts';
import type { ExpandableFields } from '../catalog/sdk-expansions.ts';

/**
 * What an older version takes and the installed one does not.
 * `parameter`: the parameter itself; `value`: a value of it; `any`: a value of another type; `empty`: the empty text
 * that unsets; `optional`: that it be left out.
 */
export interface Difference {
  readonly what: 'parameter' | 'value' | 'any' | 'empty' | 'optional';
  /** `items[][plan]` */
  readonly path: string;
  readonly values: readonly string[];
}

/** Finds what a call took that it takes no longer. */
export class Comparison {
  readonly #older: DeclaredTypes;
  readonly #newer: DeclaredTypes;
  readonly #found: Difference[] = [];

  constructor(older: DeclaredTypes, newer: DeclaredTypes) {
    this.#older = older;
    this.#newer = newer;
  }

  /** @param pair the call's name in the older and in the newer declarations */
  parameters([older, newer]: readonly [string, string]): readonly Difference[] {
    this.#found.length = 0;
    this.#fields(this.#older.parametersOf(older), this.#newer.parametersOf(newer), '');
    return [...this.#found];
  }

  #fields(older: DeclaredFields, newer: DeclaredFields, within: string): void {
    for (const field of older.values()) {
      const path = within === '' ? field.name : `${within}[${field.name}]`;
      const now = newer.get(field.name);
      // Read beside what is declared.
      if (field.name === 'expand' || (field.name === 'page' && within === '')) continue;
      if (now === undefined) this.#note('parameter', path);
      else {
        this.#types(field.type, now, path);
        if (field.optional && !now.optional) this.#note('optional', path);
      }
    }
    for (const { name, optional } of newer.values()) {
      if (!optional && !older.has(name)) this.#note('optional', within === '' ? name : `${within}[${name}]`);
    }
  }

  #types(
    older: DeclaredType,
    { type: newer, optional }: Pick<DeclaredField, 'type' | 'optional'>,
    path: string,
  ): void {
    if (
      older.nullable &&
      !newer.nullable &&
      !(EMPTY_AT_WILL.has(newer.kind) || (newer.kind === 'union' && optional))
    )
      this.#note('empty', path);
    for (const one of membersOf(older)) this.#member(one, membersOf(newer), path);
  }

  #member(older: DeclaredType, newer: readonly DeclaredType[], path: string): void {
    if (newer.some((one) => one.kind === 'string' || one.kind === 'any') && !STRUCTURED.has(older.kind))
      return;
    const same = newer.find(({ kind }) => kind === older.kind);
    if (older.kind === 'enum' && newer.some(({ kind }) => kind === 'enum')) {
      const now = newer.flatMap((one) => (one.kind === 'enum' ? one.values : []));
      const gone = older.values.filter((value) => !now.includes(value));
      if (gone.length > 0) this.#note('value', path, gone);
    } else if (older.kind === 'part' && same?.kind === 'part') {
      this.#fields(this.#older.fieldsOf(older), this.#newer.fieldsOf(same), path);
    } else if (older.kind === 'array' && same?.kind === 'array') {
      this.#types(older.of, { type: same.of, optional: true }, `${path}[]`);
    } else if (same === undefined && !newer.some(({ kind }) => covers(kind, older.kind)))
      this.#note('any', path);
  }

  #note(what: Difference['what'], path: string, values: readonly string[] = []): void {
    this.#found.push({ what, path, values });
  }
}

/** Fields that were expandable, or held other kinds of objects, encoded by kind of object. */
export function goneExpansions(
  older: ExpandableFields,
  newer: ExpandableFields,
): ReadonlyMap<string, readonly string[]> {
  const gone = new Map<string, readonly string[]>();
  for (const [kind, fields] of older) {
    const now = newer.get(kind);
    const texts = [...fields]
      .filter(([path, field]) => isExpandable(field) && now?.get(path) === undefined)
      .map(([path, field]) => encodeField(path, field));
    if (texts.length > 0) gone.set(kind, texts.sort());
  }
  return gone;
}

function isExpandable({ objects, onRequest }: ExpandableField): boolean {
  return objects.length > 0 || onRequest;
}

const STRUCTURED: ReadonlySet<string> = new Set(['part', 'array', 'map', 'object', 'list', 'file']);
const EMPTY_AT_WILL: ReadonlySet<string> = new Set(['string', 'map', 'any', 'file', 'array', 'part']);

/** Whether what is sent for the older kind is read by the newer one. */
function covers(newer: DeclaredType['kind'], older: DeclaredType['kind']): boolean {
  if (newer === 'any' || newer === older) return true;
  if (older === 'integer') return newer === 'number' || newer === 'decimal' || newer === 'int64';
  if (older === 'string') return newer === 'decimal' || newer === 'int64';
  if (older === 'true') return newer === 'boolean';
  return older === 'part' && newer === 'map';
}

function membersOf(type: DeclaredType): readonly DeclaredType[] {
  return type.kind === 'union' ? type.members : [type];
}
