import type { OperationName } from '../../core/catalog/catalog.ts';
import type { DeclaredField, DeclaredType, DeclaredTypes } from '../../core/catalog/declared-types.ts';
import type { ObjectName } from '../../core/catalog/expansion.ts';
import {
  type Collection,
  collectionsHolding,
  objectKind,
  objectKindOf,
} from '../../core/catalog/id-prefix.ts';
import { isRecord } from '../../core/document/is-record.ts';
import { emptyFields, type Fields } from '../../http/form-body.ts';
import { randomText } from '../random-text.ts';
import type { StripeObject } from './object-store.ts';
import { STARTING_TEXTS, STARTING_VALUES } from './starting-values.ts';

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

const DAY_S = 86_400;

/** Makes objects, each with all that its declared type requires. */
export class ObjectMaker {
  readonly #types: DeclaredTypes;
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
    return this.#object(object, { ...given, id }, traits);
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
      ? this.#object(object, { ...given, id: given.id ?? randomText(24) }, traits)
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

  #object(kind: string, given: Fields, traits: ObjectTraits): StripeObject {
    const declared = this.#types.kind(kind);
    const made: StripeObject = { id: String(given.id), object: kind };
    const { now } = traits;
    for (const [name, field] of declared ?? []) {
      if (name === 'id' || name === 'object') continue;
      if (name === 'created')
        made.created = field.type.kind === 'string' ? new Date(now).toISOString() : seconds(now);
      else if (name === 'livemode') made.livemode = traits.livemode;
      else if (name === 'metadata') made.metadata = mergedMetadata({}, given.metadata);
      else {
        const path = `${kind}.${name}`;
        // Most fields are these, and most of the time of a call goes into making objects.
        if (given[name] === undefined && isPlain(field, path)) {
          if (!field.optional) made[name] = null;
        } else this.#set(made, field, given[name], { ...traits, id: made.id, path, name });
      }
    }
    // The parts of an object have no `id` of their own.
    if (declared !== undefined && !declared.has('id')) delete (made as Fields).id;
    return made;
  }

  #set(made: Fields, { name, optional, type }: DeclaredField, given: unknown, place: Place): void {
    if (given === undefined) {
      if (!optional) made[name] = this.#start(type, place);
      else if (Object.hasOwn(STARTING_VALUES, place.path)) made[name] = STARTING_VALUES[place.path];
    } else {
      const value = this.#typed(given, type, place);
      if (value !== undefined || !optional) made[name] = value ?? this.#start(type, place);
    }
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

  #part(type: Extract<DeclaredType, { kind: 'part' }>, given: Fields, place: Place): Fields {
    const made: Fields = {};
    for (const [name, field] of this.#types.fieldsOf(type)) {
      this.#set(made, field, given[name], { ...place, path: `${place.path}.${name}`, name });
    }
    return made;
  }

  /** What stands in a field that nothing was sent for. */
  #start(type: DeclaredType, place: Place): unknown {
    if (Object.hasOwn(STARTING_VALUES, place.path)) return STARTING_VALUES[place.path];
    if (type.nullable) return null;
    switch (type.kind) {
      case 'integer':
        return startingNumber(place);
      case 'number':
        return 0;
      case 'decimal':
      case 'int64':
        return '0';
      case 'boolean':
        return false;
      case 'true':
        return true;
      case 'enum':
        return type.values[0] ?? '';
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
      case 'string':
        return startingText(place);
      default:
        return null;
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

/** Whether a field that nothing was sent for is left out, or null. */
function isPlain({ optional, type }: DeclaredField, path: string): boolean {
  return (optional || type.nullable) && !Object.hasOwn(STARTING_VALUES, path);
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

const TIME = /(?:^|_)(?:at|date|start|end|on|anchor|time|until|created|deadline|updated|timestamp)$/;

function startingNumber({ name, now }: Place): number {
  if (name.startsWith('expires')) return seconds(now) + DAY_S;
  return TIME.test(name) ? seconds(now) : 0;
}

function startingText({ name, path, now }: Place): string {
  if (path.startsWith('v2.') && TIME.test(name)) return new Date(now).toISOString();
  if (/(?:^|_)url$/.test(name)) return `https://stripe.invalid/${path.replaceAll('.', '/')}`;
  if (/(?:^|_)(?:secret|client_secret)$/.test(name))
    return `${path.replace(/\..*$/, '')}_secret_${randomText(24)}`;
  return STARTING_TEXTS[name] ?? '';
}

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

function partOf(type: DeclaredType): Extract<DeclaredType, { kind: 'part' }> | undefined {
  return type.kind === 'part' ? type : undefined;
}

/** Metadata with what is new; a name with an empty value goes, and an empty text unsets all. */
function mergedMetadata(known: unknown, value: unknown): Fields {
  const merged = emptyFields();
  if (value === '') return merged;
  for (const texts of [known, value]) {
    for (const [name, text] of isRecord(texts) ? Object.entries(texts) : []) {
      if (text === '' || text === null) delete merged[name];
      else merged[name] = text;
    }
  }
  return merged;
}
