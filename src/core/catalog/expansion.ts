import type { BeyondSdk } from './beyond-sdk.ts';
import { allows, type Catalog, type Operation, type OperationName, type PermissionName } from './catalog.ts';
import { encodedAnswers, encodedFields } from './data/expansions.ts';

/** What an object has in `object`: `checkout.session`. */
export type ObjectName = string;

/** A field that `expand[]` may name. */
export interface ExpandableField {
  /** The kinds of objects that it can hold; none for a part of its object, which has no permission of its own. */
  readonly objects: readonly ObjectName[];
  /** Whether it holds a list, whose `data` holds the objects. */
  readonly isList: boolean;
  /** Whether they are in the answer only when expanded. */
  readonly onRequest: boolean;
}

/** What an operation answers: an object of one of these kinds, or a list of them. */
export type Answered = Pick<ExpandableField, 'objects' | 'isList'>;

/** What a path of `expand[]` reaches. */
export interface Expansion {
  /** One for each name in the path, with the kinds of objects or of lists that may take the place of an id there. */
  readonly steps: readonly (Answered & { readonly name: string })[];
  /** Of each of these, a key must be allowed one: they read what is expanded. */
  readonly reads: readonly (readonly Operation[])[];
}

/** Stripe expands no deeper. @see https://docs.stripe.com/api/expanding_objects */
export const DEEPEST_EXPANSION = 4;

/**
 * What `expand[]` reaches, as stripe-node declares its answers, and what a key must be allowed to read for it:
 * "at least one corresponding permission for each API object you expand".
 * Load this module only where it is needed, for its data.
 * @see https://docs.stripe.com/stripe-apps/reference/permissions
 */
export class Expansions {
  readonly #catalog: Catalog;
  readonly #beyondSdk: BeyondSdk | undefined;
  readonly #older: ReadonlyMap<ObjectName, string> | undefined;
  readonly #answers: ReadonlyMap<OperationName, Answered> = decodeAnswers(encodedAnswers);
  readonly #fields = new Map<ObjectName, ReadonlyMap<string, ExpandableField>>();
  readonly #readers = new Map<ObjectName, readonly Operation[]>();

  /**
   * @param beyondSdk fields with a permission of their own
   * @param older by kind of object, encoded: fields that an older version of the API expands besides
   */
  constructor(catalog: Catalog, beyondSdk?: BeyondSdk, older?: ReadonlyMap<ObjectName, string>) {
    this.#catalog = catalog;
    this.#beyondSdk = beyondSdk;
    this.#older = older;
  }

  /** Undefined for a path that leads nowhere, as far as stripe-node declares, or deeper than Stripe goes. */
  find(operation: Operation, path: string): Expansion | undefined {
    const known = this.#find(operation, path);
    const gated = this.#beyondSdk?.expansion(operation, path);
    if (gated === undefined) return known;
    const steps = path.split('.').map((name) => ({ name, objects: [], isList: false }));
    return { steps: known?.steps ?? steps, reads: [...(known?.reads ?? []), [gated]] };
  }

  #find(operation: Operation, path: string): Expansion | undefined {
    const names = path.split('.');
    if (names.length > DEEPEST_EXPANSION) return undefined;
    let { objects, isList }: Answered = this.#answers.get(operation.name) ?? { objects: [], isList: false };
    let within = '';
    const steps: Expansion['steps'][number][] = [];
    const reads = new Map<string, readonly Operation[]>();
    for (const name of names) {
      if (isList) {
        if (name !== 'data') return undefined;
        isList = false;
        steps.push({ name, objects: [], isList: false });
        continue;
      }
      const field = this.#field(objects, `${within}${name}`);
      if (field === undefined) return undefined;
      steps.push({ name, objects: field.onRequest ? field.objects : [], isList: field.isList });
      for (const readers of field.onRequest ? this.#readsOf(objects, `${within}${name}`, field) : []) {
        reads.set(readers.map((reader) => reader.name).join(' '), readers);
      }
      if (field.objects.length === 0) {
        within += `${name}.`;
      } else {
        within = '';
        ({ objects, isList } = field);
      }
    }
    return { steps, reads: [...reads.values()] };
  }

  /** The field in any of the kinds; a part that nothing is declared of but what lies in it counts as one. */
  #field(objects: readonly ObjectName[], path: string): ExpandableField | undefined {
    let found: ExpandableField | undefined;
    for (const object of objects) {
      const fields = this.#fieldsOf(object);
      const field = fields.get(path);
      if (field !== undefined) found = found === undefined ? field : joined(found, field);
      else if ([...fields.keys()].some((one) => one.startsWith(`${path}.`))) found ??= PART;
    }
    return found;
  }

  #readsOf(parents: readonly ObjectName[], path: string, { objects }: ExpandableField): Expansion['reads'] {
    const below = parents.length === 1 ? this.#readerBelow(parents[0] ?? '', path, objects) : undefined;
    if (below !== undefined) return [[below]];
    return objects.map((object) => this.readersOf(object)).filter((readers) => readers.length > 0);
  }

  /** What lies below its object in a path of its own, such as a customer's tax ids, is read there. */
  #readerBelow(parent: ObjectName, path: string, objects: readonly ObjectName[]): Operation | undefined {
    for (const { kind, path: own } of this.readersOf(parent)) {
      const found = kind === 'retrieve' ? this.#catalog.match('GET', `${own}/${path}`)?.operation : undefined;
      const answered = found === undefined ? [] : (this.#answers.get(found.name)?.objects ?? []);
      // Of another kind, it would be another permission.
      if (objects.every((object) => answered.includes(object))) return found;
    }
    return undefined;
  }

  /**
   * The calls that read an object of some kind by its id, else those that list them, by the shortest paths.
   * None for a kind that no call reads: it belongs to what holds it.
   */
  readersOf(object: ObjectName): readonly Operation[] {
    const known = this.#readers.get(object);
    if (known !== undefined) return known;
    const answering = this.#catalog.operations.filter(
      ({ name, method }) => method === 'GET' && this.#answers.get(name)?.objects.includes(object) === true,
    );
    const byId = answering.filter(({ kind, path }) => kind === 'retrieve' && path.endsWith('{id}'));
    const readers = withFewestIds(byId.length > 0 ? byId : answering);
    this.#readers.set(object, readers);
    return readers;
  }

  #fieldsOf(object: ObjectName): ReadonlyMap<string, ExpandableField> {
    const known = this.#fields.get(object);
    if (known !== undefined) return known;
    const fields = decodeFields(`${this.#older?.get(object) ?? ''} ${encodedFields.get(object) ?? ''}`);
    this.#fields.set(object, fields);
    return fields;
  }
}

/** Whether a grant with all that it implies may read what is expanded; else the calls of which one is lacking. */
export function lackingReads(
  effective: ReadonlySet<PermissionName>,
  { reads }: Expansion,
): readonly Operation[] | undefined {
  return reads.find((readers) => !readers.some((reader) => allows(effective, reader)));
}

/** Every name that a path of `expand[]` may consist of. */
export function expandableNames(): ReadonlySet<string> {
  const names = [...encodedFields.values()].flatMap((text) => [...decodeFields(text).keys()]);
  return new Set(['data', ...names.flatMap((path) => path.split('.'))]);
}

const PART: ExpandableField = { objects: [], isList: false, onRequest: false };

function joined(a: ExpandableField, b: ExpandableField): ExpandableField {
  return {
    objects: [...new Set([...a.objects, ...b.objects])],
    isList: a.isList || b.isList,
    onRequest: a.onRequest || b.onRequest,
  };
}

function withFewestIds(operations: readonly Operation[]): readonly Operation[] {
  const ids = ({ path }: Operation) => path.split('{id}').length;
  const fewest = Math.min(...operations.map(ids));
  return operations.filter((operation) => ids(operation) === fewest);
}

/**
 * How `src/core/catalog/data/expansions.ts` writes fields: `billing_details` is a part, `customer>customer` a customer on request,
 * `items=[subscription_item]` a list that is always there, `source>card|source` one of two kinds.
 */
export function encodeField(path: string, { objects, isList, onRequest }: ExpandableField): string {
  return objects.length === 0
    ? path
    : `${path}${onRequest ? '>' : '='}${encodeAnswered({ objects, isList })}`;
}

export function encodeAnswered({ objects, isList }: Answered): string {
  return isList ? `[${objects.join('|')}]` : objects.join('|');
}

/** The way back of {@link encodeField}, of fields with blanks between them. */
export function decodeFields(text: string): ReadonlyMap<string, ExpandableField> {
  return new Map(
    text
      .split(' ')
      .filter((one) => one !== '')
      .map((one) => {
        const [, path = one, mark, kinds = ''] = /^([^>=]+)([>=])(.+)$/.exec(one) ?? [];
        return [path, { ...decodeAnswered(kinds), onRequest: mark === '>' }] as const;
      }),
  );
}

function decodeAnswered(text: string): Answered {
  const isList = text.startsWith('[');
  const kinds = isList ? text.slice(1, -1) : text;
  return { objects: kinds === '' ? [] : kinds.split('|'), isList };
}

function decodeAnswers(encoded: ReadonlyMap<string, string>): ReadonlyMap<OperationName, Answered> {
  return new Map(
    [...encoded].flatMap(([kinds, operations]) => {
      const answered = decodeAnswered(kinds);
      return operations.split(' ').map((name) => [name, answered] as const);
    }),
  );
}
