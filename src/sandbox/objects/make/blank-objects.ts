import type { DeclaredFields, DeclaredType } from '../../../core/catalog/declared-types.ts';
import type { Fields } from '../../../http/form-body.ts';
import { isStructured, sharedScalar } from './starting-scalars.ts';
import { STARTING_VALUES } from './starting-values.ts';

/** What every object of a kind is before anything that is its own is put in. */
interface Blank {
  /** Its fields in their order, with the values that are the same for each. Copied, never handed out. */
  readonly fields: Readonly<Fields>;
  /** Where a value has to be made for each, unless one was given. */
  readonly open: readonly OpenField[];
}

interface OpenField {
  readonly name: string;
  readonly path: string;
  readonly type: DeclaredType;
  readonly isScalar: boolean;
}

/** What a kind's objects, or what lies within one, begin with. */
export interface BlankOf {
  /** Where they stand: `charge`, `charge.outcome`. */
  readonly path: string;
  readonly declared: DeclaredFields;
  /** Set on an object that has a name for its kind; its first fields tell it. */
  readonly kind?: string;
}

/** Of each shape; beyond them, of a stranger's combinations of parameters, a blank serves one object alone. */
const MOST_BLANKS = 64;

/** On every object, whatever was sent. */
export const OWN_FIELDS: ReadonlySet<string> = new Set(['id', 'object', 'created', 'livemode', 'metadata']);

/**
 * The blanks of all kinds, each made when the first of its kind is. To put forty fields into an object one by one
 * costs thirty times as much as to copy an object that has them, and the engine keeps what was put together
 * that way as a hash table, which is as slow to copy and to write.
 */
export class BlankObjects {
  readonly #blanks = new Map<DeclaredFields, Map<string, Blank>>();

  /** @param given what is to be put in: an optional field has its place only where it is among these */
  of(what: BlankOf, given: Fields): Blank {
    const { path, declared } = what;
    let blanks = this.#blanks.get(declared);
    if (blanks === undefined) {
      blanks = new Map();
      this.#blanks.set(declared, blanks);
    }
    let name = path;
    for (const one in given) {
      if (declared.get(one)?.optional === true && given[one] !== undefined) name += ` ${one}`;
    }
    const known = blanks.get(name);
    if (known !== undefined) return known;
    const made = this.#make(what, given);
    if (blanks.size < MOST_BLANKS) blanks.set(name, made);
    return made;
  }

  #make({ path, declared, kind }: BlankOf, given: Fields): Blank {
    const values: Fields = {};
    const open: OpenField[] = [];
    if (kind !== undefined) {
      if (declared.has('id')) values.id = '';
      values.object = kind;
    }
    for (const [name, field] of declared) {
      const own = `${path}.${name}`;
      if (kind !== undefined && OWN_FIELDS.has(name)) values[name] ??= null;
      else if (Object.hasOwn(STARTING_VALUES, own)) values[name] = STARTING_VALUES[own];
      else if (field.optional) {
        if (given[name] !== undefined) values[name] = null;
      } else {
        const { type } = field;
        const isScalar = !isStructured(type);
        // What can be changed in place is no two objects' own.
        const value = type.nullable ? null : isScalar ? sharedScalar(type, { path: own, name }) : undefined;
        values[name] = value ?? null;
        if (value === undefined) open.push({ name, path: own, type, isScalar });
      }
    }
    // What was read from JSON has its fields side by side, and so do its copies.
    const names = Object.keys(values).map((name) => [name, null]);
    const fields: Fields = JSON.parse(JSON.stringify(Object.fromEntries(names)));
    for (const name of Object.keys(fields)) fields[name] = values[name];
    return { fields, open };
  }
}
