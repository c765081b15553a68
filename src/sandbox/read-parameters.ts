import type { Operation } from '../core/catalog/catalog.ts';
import type {
  DeclaredField,
  DeclaredFields,
  DeclaredType,
  DeclaredTypes,
} from '../core/catalog/declared-types.ts';
import { isRecord } from '../core/document/is-record.ts';
import { type Answer, type ErrorFields, errorAnswer } from '../http/answer.ts';
import { emptyFields, type Fields } from '../http/form-body.ts';

/** Parameters as their declared types have them, or HTTP 400. */
export type ReadParameters = { readonly fields: Fields } | { readonly refusal: Answer };

/** Thrown on the way up from a nested parameter; never leaves this module. */
class Wrong extends Error {
  readonly fields: ErrorFields;

  constructor(fields: ErrorFields) {
    super(fields.message);
    this.fields = fields;
  }
}

/**
 * What a version of the API takes beside what is declared: `items[][plan]` a parameter, `type=card_present` a value of
 * one, `reason=*` any value, `trial_end=` the empty text, `-file` that a required one be left out.
 */
export type AlsoTaken = (token: string) => boolean;

/**
 * Reads parameters into the types that the SDK declares, at every depth; form fields are text, JSON's are not.
 * @param alsoTaken what is taken as it comes, though not declared
 */
export function readParameters(
  { name, path, kind }: Operation,
  given: Fields,
  { types, alsoTaken }: { types: DeclaredTypes; alsoTaken?: AlsoTaken | undefined },
): ReadParameters {
  const reader = new ParameterReader(types, alsoTaken);
  const declared = types.parametersOf(name);
  // What the SDK does not declare: `page`, which the `next_page_url` of a v2 list carries.
  const undeclared = kind === 'list' && path.startsWith('/v2/') ? ['expand', 'page'] : ['expand'];
  try {
    return { fields: reader.record(given, declared, { path: '', form: '', undeclared }) };
  } catch (error) {
    if (error instanceof Wrong) return { refusal: errorAnswer(400, error.fields) };
    throw error;
  }
}

interface Place {
  /** As Stripe writes it in `param`: `items[0][price]`. */
  readonly path: string;
  /** The same without the numbers of items: `items[][price]`. */
  readonly form: string;
  readonly undeclared?: readonly string[];
}

class ParameterReader {
  readonly #types: DeclaredTypes;
  readonly #alsoTaken: AlsoTaken | undefined;

  constructor(types: DeclaredTypes, alsoTaken: AlsoTaken | undefined) {
    this.#types = types;
    this.#alsoTaken = alsoTaken;
  }

  record(given: Fields, declared: DeclaredFields, place: Place): Fields {
    const read = emptyFields();
    for (const [name, value] of Object.entries(given)) {
      const field = declared.get(name);
      const at = inside(place, name);
      if (field !== undefined) read[name] = value === undefined ? undefined : this.#value(value, field, at);
      else if (place.undeclared?.includes(name) === true || this.#alsoTaken?.(at.form)) read[name] = value;
      else {
        const message = `Received unknown parameter: ${at.path}`;
        throw new Wrong({ code: 'parameter_unknown', message, param: at.path });
      }
    }
    for (const { name, optional } of declared.values()) {
      if (optional || read[name] !== undefined || this.#alsoTaken?.(`-${inside(place, name).form}`)) continue;
      const param = inside(place, name).path;
      const message = `Missing required param: ${param}.`;
      throw new Wrong({ code: 'parameter_missing', message, param });
    }
    return read;
  }

  #value(value: unknown, { type, optional }: DeclaredField, place: Place): unknown {
    if (this.#alsoTaken?.(`${place.form}=*`)) return value;
    if (value === '' || value === null) return this.#empty(value, type, optional, place);
    return this.#typed(value, type, place);
  }

  /** An empty text unsets a value; texts can be empty, and whether a text can be unset is not declared. */
  #empty(value: unknown, type: DeclaredType, optional: boolean, { path, form }: Place): unknown {
    const mayBeEmpty = type.nullable || EMPTY_AT_WILL.has(type.kind) || (type.kind === 'union' && optional);
    if (mayBeEmpty || this.#alsoTaken?.(`${form}=`)) return value;
    const message = `You passed an empty string for '${path}'. We assume empty values are an attempt to unset a parameter; however '${path}' cannot be unset. You should remove '${path}' from your request or supply a non-empty value.`;
    throw new Wrong({ code: 'parameter_invalid_empty', message, param: path });
  }

  #typed(value: unknown, type: DeclaredType, place: Place): unknown {
    switch (type.kind) {
      case 'string':
        return typeof value === 'object' ? wrong('string', value, place) : text(value, place);
      case 'enum':
        return this.#alsoTaken?.(`${place.form}=${value}`) ? value : enumValue(value, type.values, place);
      case 'integer':
        return integer(value, place);
      case 'number':
        return numberIn(value) ?? wrong('decimal', value, place);
      case 'decimal':
        return DECIMAL.test(String(value)) ? String(value) : wrong('decimal', value, place);
      case 'int64':
        return /^-?\d{1,19}$/.test(String(value)) ? String(value) : integer(value, place);
      case 'boolean':
      case 'true':
        return booleanIn(value) ?? wrong('boolean', value, place);
      case 'map':
        return map(value, place);
      case 'array':
        return this.#array(value, type.of, place);
      case 'part':
        return isRecord(value)
          ? this.record(value, this.#types.fieldsOf(type), place)
          : wrong('object', value, place);
      case 'union':
        return this.#union(value, type.members, place);
      default:
        return value;
    }
  }

  /** Some clients number the items, from wherever they like; a form's text may name its items by number alone. */
  #array(value: unknown, of: DeclaredType, place: Place): readonly unknown[] {
    const items = Array.isArray(value) ? value : numbered(value);
    if (items === undefined) return wrong('array', value, place);
    return items.map((item, index) =>
      item === '' || item === null
        ? item
        : this.#typed(item, of, { path: `${place.path}[${index}]`, form: `${place.form}[]` }),
    );
  }

  /** The member of the value's own form; the last of several tells what is wrong. */
  #union(value: unknown, members: readonly DeclaredType[], place: Place): unknown {
    const fitting = members.filter(({ kind }) => STRUCTURED.has(kind) === (typeof value === 'object'));
    const tried = fitting.length > 0 ? fitting : members;
    for (const [index, member] of tried.entries()) {
      if (index === tried.length - 1) return this.#typed(value, member, place);
      try {
        return this.#typed(value, member, place);
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
      }
    }
    return value;
  }
}

const STRUCTURED: ReadonlySet<string> = new Set(['part', 'array', 'map', 'object', 'list', 'file']);
const EMPTY_AT_WILL: ReadonlySet<string> = new Set(['string', 'map', 'any', 'file', 'array', 'part']);
const DECIMAL = /^-?(?:\d+(?:\.\d*)?|\.\d+)$/;

function inside({ path, form }: Place, name: string): Place {
  return path === '' ? { path: name, form: name } : { path: `${path}[${name}]`, form: `${form}[${name}]` };
}

/** Currencies are taken in either case, and are in lower case everywhere. @see https://docs.stripe.com/currencies */
function text(value: unknown, { path }: Place): string {
  const given = String(value);
  return path.endsWith('currency') || path.endsWith('currency]') ? given.toLowerCase() : given;
}

function integer(value: unknown, place: Place): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value === 'string' && /^[+-]?\d+$/.test(value.trim())) {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
  }
  return wrong('integer', value, place);
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && DECIMAL.test(value) ? Number(value) : undefined;
}

function booleanIn(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  // stripe-python up to 11 writes them as Python does.
  const text = String(value).toLowerCase();
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}

function enumValue(value: unknown, values: readonly string[], { path }: Place): string {
  const text = typeof value === 'object' ? '' : String(value);
  if (values.includes(text)) return text;
  throw new Wrong({
    message: `Invalid ${path}: must be ${values.length > 1 ? 'one of ' : ''}${listed(values)}`,
    param: path,
  });
}

/** Texts by name, as metadata are. @see https://docs.stripe.com/api/metadata */
function map(value: unknown, place: Place): Fields {
  if (!isRecord(value)) return wrong('object', value, place);
  const read = emptyFields();
  for (const [key, text] of Object.entries(value)) {
    const at = inside(place, key);
    if (typeof text === 'object' && text !== null) return wrong('string', text, at);
    read[key] = text === null ? '' : String(text);
    if (!place.path.endsWith('metadata')) continue;
    if (key.length > 40) {
      const message = `Metadata keys can have up to 40 characters, but you passed in a key that is ${key.length} characters. Invalid key: ${key}`;
      throw new Wrong({ message, param: place.path });
    }
    if (String(text).length > 500) {
      const message = `Metadata values can have up to 500 characters, but you passed in a value that is ${String(text).length} characters. Invalid value: ${String(text)}`;
      throw new Wrong({ message, param: at.path });
    }
  }
  return read;
}

/** `{ 1: x, 0: y }` is `[y, x]`; undefined where the names are no numbers. */
function numbered(value: unknown): readonly unknown[] | undefined {
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length === 0 || !entries.every(([name]) => /^\d+$/.test(name))) return undefined;
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, item]) => item);
}

function wrong(type: string, value: unknown, { path }: Place): never {
  const shown = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const code = type === 'integer' ? { code: 'parameter_invalid_integer' } : {};
  throw new Wrong({ ...code, message: `Invalid ${type}: ${shown.slice(0, 100)}`, param: path });
}

/** As Stripe lists: `day, week, month, or year`. */
function listed(values: readonly string[]): string {
  if (values.length < 3) return values.join(' or ');
  return `${values.slice(0, -1).join(', ')}, or ${values.at(-1)}`;
}
