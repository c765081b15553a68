import { isRecord } from '../../core/document/is-record.ts';
import type { StripeObject } from './object-store.ts';

type Clause = (object: StripeObject) => boolean;

/** What a field of the search language is: text may be searched in, a token only compared whole. */
type FieldType = 'text' | 'token' | 'number';

/** @see https://docs.stripe.com/search#search-query-language "each query can have at most 10 clauses" */
const MOST_CLAUSES = 10;

/** Shorter texts cannot be searched for. @see https://docs.stripe.com/search#syntax */
const SHORTEST_SUBSTRING = 3;

/**
 * Reads a query of Stripe's search language: clauses joined by AND, or by OR.
 * @param collection which fields there are: `charges`
 * @returns whether an object is found, or Stripe's words for what is wrong
 */
export function readSearch(text: string, collection: string): Clause | string {
  const clauses: Clause[] = [];
  let joiner: string | undefined;
  let rest = text;
  for (;;) {
    const match = CLAUSE.exec(rest);
    if (match?.groups === undefined) return CANNOT_PARSE;
    const made = readClause(match.groups, collection);
    if (typeof made === 'string') return made;
    clauses.push(made);
    rest = rest.slice(match[0].length);
    if (rest.trim() === '') break;
    const joined = /^\s+(AND|OR)\s+/i.exec(rest);
    // A blank alone joins by AND.
    const word = joined?.[1]?.toUpperCase() ?? (/^\s/.test(rest) ? 'AND' : undefined);
    if (word === undefined) return CANNOT_PARSE;
    if (joiner !== undefined && joiner !== word) return 'You cannot use AND and OR in the same query.';
    joiner = word;
    rest = rest.slice(joined?.[0].length ?? 0);
    if (clauses.length === MOST_CLAUSES) return `A query can have at most ${MOST_CLAUSES} clauses.`;
  }
  return joiner === 'OR'
    ? (object) => clauses.some((one) => one(object))
    : (object) => clauses.every((one) => one(object));
}

const CANNOT_PARSE =
  'We were unable to parse your search query. Check the syntax: clauses such as field:"value", joined by AND or OR, not both.';

const QUOTED = String.raw`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`;

/** A field with its key, its operator and its value, each quoted or not. */
const CLAUSE = new RegExp(
  String.raw`^\s*(?<minus>-?)\s*(?<field>[a-z_][\w.]*|${QUOTED})(?:\[(?<key>${QUOTED})\])?\s*` +
    String.raw`(?<operator>:|~|>=|<=|>|<|=)\s*(?<value>${QUOTED}|-?[\w.@+-]+)`,
  'i',
);

type Groups = { readonly [name: string]: string | undefined };

function readClause(
  { minus, field: quotedField = '', key, operator = ':', value: quoted = '' }: Groups,
  collection: string,
): Clause | string {
  const field = unquoted(quotedField);
  const type = key === undefined ? fieldType(collection, field) : field === 'metadata' ? 'text' : undefined;
  const resource = collection.replace(/^.*\//, '');
  if (type === undefined)
    return `Field \`${field}\` is an unsupported search field for resource \`${resource}\`.`;
  const value = unquoted(quoted);
  const isNull = !isQuoted(quoted) && /^null$/i.test(quoted);
  if (!isQuoted(quoted) && !isNull && type !== 'number' && !/^(?:-?[\d.]+|true|false)$/i.test(quoted)) {
    return CANNOT_PARSE;
  }
  if (type !== 'number' && /[<>]/.test(operator)) {
    return `Field \`${field}\` does not support the operator \`${operator}\`; only numeric fields do.`;
  }
  if (operator === '~') {
    if (type !== 'text') return `Field \`${field}\` does not support substring matching.`;
    if (value.length < SHORTEST_SUBSTRING) {
      return `A substring must have at least ${SHORTEST_SUBSTRING} characters: \`${value}\`.`;
    }
  }
  if (type === 'number' && !isNull && !Number.isFinite(Number(value))) {
    return `Field \`${field}\` is numeric; \`${value}\` is no number.`;
  }
  const path = key === undefined ? field.split('.') : [field, unquoted(key)];
  const compare = comparison(operator, isNull ? null : type === 'number' ? Number(value) : value);
  return (object) => compare(valuesAt(object, path)) !== (minus === '-');
}

function comparison(operator: string, value: string | number | null): (found: readonly unknown[]) => boolean {
  if (value === null) return (found) => found.length === 0;
  if (typeof value === 'string') {
    const wanted = value.toLowerCase();
    const texts = (found: readonly unknown[]) => found.map((one) => String(one).toLowerCase());
    return operator === '~'
      ? (found) => texts(found).some((one) => one.includes(wanted))
      : (found) => texts(found).includes(wanted);
  }
  const holds = NUMERIC[operator] ?? ((found) => found === value);
  return (found) => found.some((one) => holds(Number(one), value));
}

const NUMERIC: Readonly<Record<string, (found: number, value: number) => boolean>> = {
  '>': (found, value) => found > value,
  '<': (found, value) => found < value,
  '>=': (found, value) => found >= value,
  '<=': (found, value) => found <= value,
};

function isQuoted(text: string): boolean {
  return /^["']/.test(text);
}

function unquoted(text: string): string {
  return isQuoted(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

/** What stands at a path; an object counts as its id, `null` as nothing. */
function valuesAt(object: unknown, path: readonly string[]): readonly unknown[] {
  let found: unknown = object;
  for (const name of path) {
    if (!isRecord(found) || !Object.hasOwn(found, name)) return [];
    found = found[name];
  }
  if (found === undefined || found === null || found === '') return [];
  return isRecord(found) ? (found.id === undefined ? [] : [found.id]) : [found];
}

/** Undefined for what cannot be searched by; the sources of a charge have the same fields each. */
function fieldType(collection: string, field: string): FieldType | undefined {
  const own = FIELDS[collection] ?? {};
  const source = /^payment_method_details\.\w+\.(\w+)$/.exec(field)?.[1];
  if (source !== undefined && collection === 'charges') return SOURCE_FIELDS[source];
  return Object.hasOwn(own, field) ? own[field] : undefined;
}

const SOURCE_FIELDS: Readonly<Record<string, FieldType>> = {
  last4: 'token',
  exp_month: 'token',
  exp_year: 'token',
  brand: 'token',
  fingerprint: 'token',
};

/** @see https://docs.stripe.com/search#supported-query-fields-for-each-resource */
const FIELDS: Readonly<Record<string, Readonly<Record<string, FieldType>>>> = {
  charges: {
    amount: 'number',
    'billing_details.address.postal_code': 'token',
    created: 'number',
    currency: 'token',
    customer: 'token',
    disputed: 'token',
    refunded: 'token',
    status: 'token',
  },
  customers: { created: 'number', email: 'text', name: 'text', phone: 'text' },
  invoices: {
    created: 'number',
    currency: 'token',
    customer: 'token',
    last_finalization_error_code: 'token',
    last_finalization_error_type: 'token',
    number: 'text',
    receipt_number: 'text',
    status: 'token',
    subscription: 'token',
    total: 'number',
  },
  payment_intents: {
    amount: 'number',
    created: 'number',
    currency: 'token',
    customer: 'token',
    status: 'token',
  },
  prices: {
    active: 'token',
    currency: 'token',
    lookup_key: 'text',
    product: 'token',
    type: 'token',
  },
  products: { active: 'token', description: 'text', name: 'text', shippable: 'token', url: 'text' },
  subscriptions: { canceled_at: 'number', created: 'number', status: 'token' },
};
