import type { OperationName } from '../../../core/catalog/catalog.ts';
import type { DeclaredField, DeclaredType, DeclaredTypes } from '../../../core/catalog/declared-types.ts';
import type { ObjectName } from '../../../core/catalog/expansion.ts';
import {
  type Collection,
  collectionsHolding,
  objectKind,
  objectKindOf,
} from '../../../core/catalog/id-prefix.ts';
import { isRecord } from '../../../core/document/is-record.ts';
import { emptyFields, type Fields } from '../../../http/form-body.ts';
import { randomText } from '../../random-text.ts';
import type { StripeObject } from '../object-store.ts';
import { BlankObjects, type BlankOf, OWN_FIELDS } from './blank-objects.ts';
import { ownScalar, sharedScalar } from './starting-scalars.ts';
import { STARTING_VALUES } from './starting-values.ts';

export interface ObjectTraits {
  readonly livemode: boolean;
  /** In ms since 1970. */
  readonly now: number;
  /** The object of some kind that an id stands for. */
  readonly find: (kind: string, id: string) => StripeObject | undefined;
}

/** Where a value stands: `subscription`, `items.data`; the innermost object's kind begins it. */
interface Place extends ObjectTraits {
  /** The id of the object around it. */
  readonly id: string;
  readonly path: string;
  readonly name: string;
}

type PartType = Extract<DeclaredType, { kind: 'part' }>;

/** Makes objects, each with all that its declared type requires. */
export class ObjectMaker {
  readonly #types: DeclaredTypes;
  readonly #blanks = new BlankObjects();
  #eventTypes: ReadonlySet<string> | undefined;

  constructor(types: DeclaredTypes) {
    this.#types = types;
  }

  /** Every type of event that an endpoint can be told of. */
  get eventTypes(): ReadonlySet<string> {
    this.#eventTypes ??= new Set(
      enumIn(this.#types.parametersOf('webhookEndpoints.create').get('enabled_events')),
    );
    return this.#eventTypes;
  }

  /** A new object of a collection: what was sent, as its type has it, and a sensible value for the rest. */
  make(collection: Collection, given: Fields, traits: ObjectTraits): StripeObject {
    const kind = objectKindOf(collection);
    const object = kind?.object ?? objectKind(collection).object;
    const prefix = kind?.prefix ?? '';
    const id = typeof given.id === 'string' && given.id !== '' ? given.id : newId(object, prefix, traits);
    return this.#object(object, id, given, traits);
  }

  /** The one kind of object that an operation answers; undefined where it may answer several, or none. */
  answeredKind(operation: OperationName): ObjectName | undefined {
    const type = this.#types.answerOf(operation);
    return type.kind === 'object' ? type.name : undefined;
  }

  /** What lies within an object has no collection of its own: the lines of an invoice, say. */
  makeKind(object: string, given: Fields, traits: ObjectTraits): StripeObject {
    const [collection] = collectionsHolding(object);
    return collection === undefined
      ? this.#object(object, String(given.id ?? randomText(24)), given, traits)
      : this.make(collection, given, traits);
  }

  /** Takes new values over; an empty text unsets, and metadata is merged. @see https://docs.stripe.com/api/metadata */
  update(object: StripeObject, given: Fields, traits: ObjectTraits): void {
    const declared = this.#types.kind(object.object);
    for (const [name, value] of Object.entries(given)) {
      if (name === 'expand' || name === 'id' || name === 'object' || value === undefined) continue;
      const field = declared?.get(name);
      if (name === 'metadata') object.metadata = mergedMetadata(object.metadata, value);
      else if (field !== undefined) {
        const place = { ...traits, id: object.id, path: `${object.object}.${name}`, name };
        object[name] = this.#changed(object[name], value, field.type, place);
      }
    }
  }

  #object(kind: string, id: string, given: Fields, traits: ObjectTraits): StripeObject {
    const declared = this.#types.kind(kind);
    if (declared === undefined) return { id, object: kind };
    const { now, livemode } = traits;
    const made = this.#filled({ path: kind, declared, kind }, given, { ...traits, id });
    // The parts of an object have no `id` of their own.
    if (declared.has('id')) made.id = id;
    const created = declared.get('created')?.type;
    if (created !== undefined)
      made.created = created.kind === 'string' ? new Date(now).toISOString() : seconds(now);
    if (declared.has('livemode')) made.livemode = livemode;
    if (declared.has('metadata')) made.metadata = mergedMetadata(undefined, given.metadata);
    return made as StripeObject;
  }

  #filled(what: BlankOf, given: Fields, around: Omit<Place, 'path' | 'name'>): Fields {
    const { path, declared, kind } = what;
    const { fields, open } = this.#blanks.of(what, given);
    const made: Fields = { ...fields };
    for (const { name, path: own, type, isScalar } of open) {
      if (given[name] !== undefined) continue;
      made[name] = isScalar
        ? ownScalar(type, { path: own, name }, around.now)
        : this.#start(type, { ...around, path: own, name });
    }
    for (const name in given) {
      const value = given[name];
      const field = value === undefined ? undefined : declared.get(name);
      if (field === undefined || (kind !== undefined && OWN_FIELDS.has(name))) continue;
      const { type, optional } = field;
      const scalar = typedScalar(value, type);
      if (scalar !== undefined && scalar !== null) {
        made[name] = scalar;
        continue;
      }
      const place = { ...around, path: `${path}.${name}`, name };
      const typed = this.#typed(value, type, place);
      if (typed !== undefined || !optional) made[name] = typed ?? this.#start(type, place);
      else delete made[name];
    }
    return made;
  }

  #changed(known: unknown, value: unknown, type: DeclaredType, place: Place): unknown {
    const part = partOf(type);
    if (part === undefined || !isRecord(known) || !isRecord(value)) {
      return this.#typed(value, type, place) ?? (type.nullable ? null : this.#start(type, place));
    }
    const fields = this.#types.fieldsOf(part);
    const changed: Fields = { ...known };
    for (const [name, one] of Object.entries(value)) {
      const field = fields.get(name);
      if (field === undefined) continue;
      const inner = { ...place, path: `${place.path}.${name}`, name };
      changed[name] = this.#changed(known[name], one, field.type, inner);
    }
    return changed;
  }

  /** A value that was sent, in the type of the answer; undefined where it does not fit. */
  #typed(value: unknown, type: DeclaredType, place: Place): unknown {
    if (value === null || value === '')
      return type.nullable ? null : value === '' && type.kind === 'string' ? '' : undefined;
    switch (type.kind) {
      case 'string':
      case 'decimal':
      case 'int64':
      case 'enum':
      case 'integer':
      case 'number':
      case 'boolean':
      case 'true':
        return typedScalar(value, type);
      case 'map':
        return isRecord(value) ? mergedMetadata({}, value) : undefined;
      case 'array':
        return Array.isArray(value)
          ? value.map((one) => this.#typed(one, type.of, place)).filter(isPresent)
          : undefined;
      case 'list':
        return Array.isArray(value)
          ? listOf(value.map((one) => this.#typed(one, type.of, place)).filter(isPresent), place)
          : undefined;
      case 'part':
        return isRecord(value) ? this.#part(type, value, place) : undefined;
      case 'object':
        return this.#whole(type.name, value, place);
      case 'union':
        return this.#member(value, type.members, place);
      default:
        return value;
    }
  }

  /** Text where text may stand, such as an id that can be expanded; else the first member that fits. */
  #member(value: unknown, members: readonly DeclaredType[], place: Place): unknown {
    if (typeof value === 'string' && members.some(({ kind }) => kind === 'string')) return value;
    for (const member of members) {
      const typed = this.#typed(value, member, place);
      if (typed !== undefined) return typed;
    }
    return undefined;
  }

  #whole(kind: string, value: unknown, place: Place): unknown {
    if (typeof value === 'string') return place.find(kind, value) ?? undefined;
    if (!isRecord(value)) return undefined;
    return typeof value.object === 'string' && value.id !== undefined
      ? value
      : this.makeKind(kind, value, place);
  }

  #part(type: PartType, given: Fields, place: Place): Fields {
    return this.#filled({ path: place.path, declared: this.#types.fieldsOf(type) }, given, place);
  }

  /** What stands in a field that nothing was sent for. */
  #start(type: DeclaredType, place: Place): unknown {
    if (Object.hasOwn(STARTING_VALUES, place.path)) return STARTING_VALUES[place.path];
    if (type.nullable) return null;
    switch (type.kind) {
      case 'map':
        return {};
      case 'array':
        return [];
      case 'list':
        return listOf([], place);
      case 'part':
        return this.#part(type, {}, place);
      case 'object':
        return this.makeKind(type.name, {}, place);
      case 'union':
        return this.#startOfUnion(type.members, place);
      default: {
        const shared = sharedScalar(type, place);
        return shared === undefined ? ownScalar(type, place, place.now) : shared;
      }
    }
  }

  #startOfUnion(members: readonly DeclaredType[], place: Place): unknown {
    const object = members.find((one) => one.kind === 'object');
    if (members.some(({ kind }) => kind === 'string') && object?.kind === 'object') {
      const [collection = ''] = collectionsHolding(object.name);
      return newId(object.name, objectKindOf(collection)?.prefix ?? '', place);
    }
    const [first] = members;
    return first === undefined ? null : this.#start(first, place);
  }
}

/** What was sent for a scalar, in its type; undefined where it does not fit, or the type holds more than a scalar. */
function typedScalar(value: unknown, { kind }: DeclaredType): unknown {
  if (value === '' || value === null) return undefined;
  switch (kind) {
    case 'string':
      return isRecord(value) ? value.id : typeof value === 'object' ? undefined : String(value);
    case 'decimal':
    case 'int64':
    case 'enum':
      return typeof value === 'object' ? undefined : String(value);
    case 'integer':
    case 'number':
      return numberOf(value);
    case 'boolean':
    case 'true':
      return typeof value === 'boolean' ? value : undefined;
    default:
      return undefined;
  }
}

function newId(object: string, prefix: string, { livemode }: ObjectTraits): string {
  if (object === 'checkout.session') return `cs_${livemode ? 'live' : 'test'}_a1${randomText(56)}`;
  return prefix === '' ? randomText(8) : `${prefix}_1${randomText(23)}`;
}

/** Clients ask its `url` for what follows. */
function listOf(data: readonly unknown[], { path, id, name }: Place): Fields {
  const [collection = ''] = collectionsHolding(path.slice(0, -name.length - 1));
  const url = LISTED_AT[path] ?? `/v1/${collection}/${id}/${name}`;
  return { object: 'list', data, has_more: false, url };
}

/** Lists within objects that are asked for elsewhere than below these. */
const LISTED_AT: Readonly<Record<string, string>> = {
  'financial_connections.session.accounts': '/v1/financial_connections/accounts',
};

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

function enumIn(field: DeclaredField | undefined): readonly string[] {
  const type = field?.type.kind === 'array' ? field.type.of : undefined;
  return type?.kind === 'enum' ? type.values : [];
}

function isPresent(value: unknown): boolean {
  return value !== undefined;
}

function partOf(type: DeclaredType): PartType | undefined {
  return type.kind === 'part' ? type : undefined;
}

/** Metadata with what is new; a name with an empty value goes, and an empty text unsets all. */
function mergedMetadata(known: unknown, value: unknown): Fields {
  if (value === '' || (known === undefined && !isRecord(value))) return NO_METADATA;
  const merged = emptyFields();
  for (const texts of [known, value]) {
    for (const [name, text] of isRecord(texts) ? Object.entries(texts) : []) {
      if (text === '' || text === null) delete merged[name];
      else merged[name] = text;
    }
  }
  return merged;
}

/** Metadata are replaced and never changed in place, so that those who have none can share. */
const NO_METADATA: Fields = Object.freeze(Object.setPrototypeOf({}, null));
