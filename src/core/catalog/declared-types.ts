import type { OperationName } from './catalog.ts';
import { encodedKinds, encodedShapes, encodedTypes, encodedValues } from './data/types.ts';
import type { ObjectName } from './expansion.ts';

/**
 * A type as Stripe declares it. `decimal` and `int64` are numbers written as text; `integer` is also every
 * point in time of v1; `object` is an object of Stripe's own, `part` what lies within one, `list` a list object.
 */
export type DeclaredType = {
  /** Whether `null` may stand there, and in a request the empty text that unsets. */
  readonly nullable: boolean;
} & (
  | { readonly kind: Scalar }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'array' | 'list'; readonly of: DeclaredType }
  | { readonly kind: 'part'; readonly shape: number }
  | { readonly kind: 'object'; readonly name: ObjectName }
  | { readonly kind: 'union'; readonly members: readonly DeclaredType[] }
);

const SCALARS = {
  s: 'string',
  i: 'integer',
  d: 'number',
  t: 'decimal',
  I: 'int64',
  b: 'boolean',
  y: 'true',
  m: 'map',
  u: 'any',
  f: 'file',
} as const;

type Scalar = (typeof SCALARS)[keyof typeof SCALARS];

export interface DeclaredField {
  readonly name: string;
  readonly optional: boolean;
  readonly type: DeclaredType;
}

export type DeclaredFields = ReadonlyMap<string, DeclaredField>;

/** Declarations as text, a line each. */
export interface EncodedTypes {
  readonly shapes: string;
  readonly values: string;
  readonly kinds: string;
  readonly types: string;
}

const INSTALLED: EncodedTypes = {
  shapes: encodedShapes,
  values: encodedValues,
  kinds: encodedKinds,
  types: encodedTypes,
};

/**
 * What stripe-node declares of every operation's parameters and answers, at every depth.
 * Load this module only where it is needed, for its data.
 *
 * How `src/core/catalog/data/types.ts` writes a type: a letter of {@link SCALARS}; `e3` the enum of line 3 of the values;
 * `{7` the part with the fields of line 7 of the shapes; `@charge` an object of that kind; `[` and `L` before
 * a type an array and a list of it; `(s|@charge)` either; `~` after it, that it may be null.
 */
export class DeclaredTypes {
  readonly #shapes: readonly string[];
  readonly #values: readonly string[];
  readonly #kinds = new Map<ObjectName, number>();
  readonly #operations = new Map<OperationName, readonly [parameters: string, answer: string]>();
  readonly #fields = new Map<number, DeclaredFields>();
  readonly #types = new Map<string, DeclaredType>();

  /** @param encoded what another version of the SDK declares; by default what the installed one does */
  constructor(encoded: EncodedTypes = INSTALLED) {
    this.#shapes = encoded.shapes.split('\n');
    this.#values = encoded.values.split('\n');
    for (const line of encoded.kinds.split('\n')) {
      const [kind = '', number] = line.split(' ');
      this.#kinds.set(kind, Number(number));
    }
    for (const line of encoded.types.split('\n')) {
      const [name = '', parameters = '', answer = ''] = line.split(' ');
      this.#operations.set(name, [parameters, answer]);
    }
  }

  /** @throws on a name that the catalog does not have */
  parametersOf(operation: OperationName): DeclaredFields {
    const type = this.#typeOf(this.#operation(operation)[0]);
    return type.kind === 'part' ? this.fieldsOf(type) : new Map();
  }

  /** @throws on a name that the catalog does not have */
  answerOf(operation: OperationName): DeclaredType {
    return this.#typeOf(this.#operation(operation)[1]);
  }

  /** Undefined for a kind that no answer has. */
  kind(name: ObjectName): DeclaredFields | undefined {
    const number = this.#kinds.get(name);
    return number === undefined ? undefined : this.#fieldsAt(number);
  }

  /** Every kind of object that an answer may have. */
  get kinds(): readonly ObjectName[] {
    return [...this.#kinds.keys()];
  }

  fieldsOf(type: Extract<DeclaredType, { kind: 'part' | 'object' }>): DeclaredFields {
    return (type.kind === 'part' ? this.#fieldsAt(type.shape) : this.kind(type.name)) ?? new Map();
  }

  #operation(name: OperationName): readonly [string, string] {
    const found = this.#operations.get(name);
    if (found === undefined) throw new RangeError(`The catalog has no operation ${name}`);
    return found;
  }

  #fieldsAt(number: number): DeclaredFields {
    const known = this.#fields.get(number);
    if (known !== undefined) return known;
    const fields = new Map<string, DeclaredField>();
    const text = this.#shapes[number] ?? '';
    for (const one of text === '' ? [] : text.split(' ')) {
      const at = one.indexOf(':');
      const optional = one[at - 1] === '?';
      const name = one.slice(0, optional ? at - 1 : at);
      fields.set(name, { name, optional, type: this.#typeOf(one.slice(at + 1)) });
    }
    this.#fields.set(number, fields);
    return fields;
  }

  #typeOf(text: string): DeclaredType {
    const known = this.#types.get(text);
    if (known !== undefined) return known;
    const type = this.#read(text);
    this.#types.set(text, type);
    return type;
  }

  #read(text: string): DeclaredType {
    const nullable = text.endsWith('~') && !/^[[L]/.test(text);
    const bare = nullable ? text.slice(0, -1) : text;
    const rest = bare.slice(1);
    const mark = bare.charAt(0);
    switch (mark) {
      case 'e':
        return { kind: 'enum', values: (this.#values[Number(rest)] ?? '').split(' '), nullable };
      case '{':
        return { kind: 'part', shape: Number(rest), nullable };
      case '@':
        return { kind: 'object', name: rest, nullable };
      case '(':
        return {
          kind: 'union',
          members: rest
            .slice(0, -1)
            .split('|')
            .map((one) => this.#typeOf(one)),
          nullable,
        };
      case '[':
      case 'L':
        return {
          kind: mark === '[' ? 'array' : 'list',
          of: this.#typeOf(rest.replace(/~$/, '')),
          nullable: rest.endsWith('~'),
        };
    }
    const scalar = (SCALARS as Readonly<Record<string, Scalar | undefined>>)[mark];
    if (scalar === undefined && bare !== '') throw new RangeError(`${text} is no encoded type`);
    return { kind: scalar ?? 'any', nullable };
  }
}
