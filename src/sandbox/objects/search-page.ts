import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import { readLimit } from './list-page.ts';
import type { StripeObject } from './object-store.ts';

type Clause = (object: StripeObject) => boolean;

/** A page of search results. @see https://docs.stripe.com/search */
export function searchPage(all: readonly StripeObject[], url: string, query: Fields): Answer {
  const limit = readLimit(query.limit);
  if (typeof limit === 'object') return limit;
  const clauses = parseQuery(String(query.query ?? ''));
  if (clauses === undefined) {
    return errorAnswer(400, {
      message:
        'We were unable to parse your search query. Check the syntax: clauses such as field:"value", joined by AND or OR, not both.',
      param: 'query',
    });
  }
  const found = all.filter(clauses);
  const start = query.page === undefined ? 0 : Number(query.page);
  if (!Number.isInteger(start) || start < 0)
    return errorAnswer(400, { message: 'Invalid page', param: 'page' });
  const hasMore = start + limit < found.length;
  return {
    status: 200,
    body: {
      object: 'search_result',
      data: found.slice(start, start + limit),
      has_more: hasMore,
      next_page: hasMore ? String(start + limit) : null,
      url,
    },
  };
}

const CLAUSE =
  /^\s*(-?)([a-z_.]+(?:\["(?:[^"\\]|\\.)*"\])?)\s*(:|~|>=|<=|>|<)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?[\d.]+|null)/i;

/** Clauses joined by AND, or by OR, as Stripe's search language has it; undefined for anything else. */
function parseQuery(text: string): Clause | undefined {
  const clauses: Clause[] = [];
  let joiner: string | undefined;
  let rest = text;
  for (;;) {
    const match = CLAUSE.exec(rest);
    if (match === null) return undefined;
    const [whole, negated, field = '', operator = ':', value = ''] = match;
    clauses.push(clause(negated === '-', field, operator, value));
    rest = rest.slice(whole.length);
    if (rest.trim() === '') break;
    const joined = /^\s+(AND|OR)\s+/i.exec(rest);
    // A blank alone joins by AND.
    const word = joined?.[1]?.toUpperCase() ?? (/^\s/.test(rest) ? 'AND' : undefined);
    if (word === undefined || (joiner !== undefined && joiner !== word)) return undefined;
    joiner = word;
    rest = rest.slice(joined?.[0].length ?? 0);
  }
  return joiner === 'OR'
    ? (object) => clauses.some((one) => one(object))
    : (object) => clauses.every((one) => one(object));
}

function clause(negated: boolean, field: string, operator: string, quoted: string): Clause {
  const value = /^["']/.test(quoted) ? quoted.slice(1, -1).replace(/\\(.)/g, '$1') : quoted;
  return (object) => {
    const found = fieldOf(object, field);
    const holds = compare(found, operator, value);
    return negated ? !holds : holds;
  };
}

function fieldOf(object: StripeObject, field: string): unknown {
  const [, name = field, key] = /^([^[]+)\["(.*)"\]$/.exec(field) ?? [];
  const path = [...name.split('.'), ...(key === undefined ? [] : [key])];
  return path.reduce<unknown>(
    (value, part) => (typeof value === 'object' && value !== null ? (value as Fields)[part] : undefined),
    object,
  );
}

function compare(found: unknown, operator: string, value: string): boolean {
  if (operator === ':')
    return value === 'null' ? found == null : String(found ?? '').toLowerCase() === value.toLowerCase();
  if (operator === '~')
    return String(found ?? '')
      .toLowerCase()
      .includes(value.toLowerCase());
  const a = Number(found);
  const b = Number(value);
  switch (operator) {
    case '>':
      return a > b;
    case '<':
      return a < b;
    case '>=':
      return a >= b;
    default:
      return a <= b;
  }
}
