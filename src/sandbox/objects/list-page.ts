import { type Answer, errorAnswer, missingObject } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import type { StripeObject } from './object-store.ts';

const DEFAULT_LIMIT = 10;
const LARGEST_LIMIT = 100;

/** A page of a v1 list, by cursors. @see https://docs.stripe.com/api/pagination */
export function listPage(all: readonly StripeObject[], url: string, query: Fields): Answer {
  const limit = readLimit(query.limit);
  if (typeof limit === 'object') return limit;
  const filtered = all.filter((object) => matches(object, query));
  const { starting_after: after, ending_before: before } = query;
  let start = 0;
  let end = filtered.length;
  if (typeof after === 'string') {
    const index = filtered.findIndex((object) => object.id === after);
    if (index < 0) return missingObject(kindOf(all, after), after, 'starting_after', 400);
    start = index + 1;
  }
  if (typeof before === 'string') {
    const index = filtered.findIndex((object) => object.id === before);
    if (index < 0) return missingObject(kindOf(all, before), before, 'ending_before', 400);
    end = index;
  }
  const data =
    typeof before === 'string'
      ? filtered.slice(Math.max(start, end - limit), end)
      : filtered.slice(start, Math.min(end, start + limit));
  const hasMore = typeof before === 'string' ? end - limit > start : start + limit < end;
  return { status: 200, body: { object: 'list', data, has_more: hasMore, url } };
}

/** A page of a v2 list: `next_page_url` leads on. @see https://docs.stripe.com/api-v2-overview */
export function v2ListPage(all: readonly unknown[], path: string, query: Fields): Answer {
  const { page: _page, ...rest } = query;
  const limit = query.limit === undefined ? 20 : Number(query.limit);
  if (!Number.isInteger(limit) || limit < 1)
    return errorAnswer(400, { message: 'limit: Must be a positive integer' });
  if (limit > LARGEST_LIMIT)
    return errorAnswer(400, { message: `limit: The maximum page limit is ${LARGEST_LIMIT}` });
  const start = query.page === undefined ? 0 : pageStart(String(query.page));
  if (start === undefined) return errorAnswer(400, { message: 'page: Invalid page token' });
  const link = (from: number) => {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(rest)) search.set(name, String(value));
    search.set('page', pageToken(from));
    return `${path}?${search}`;
  };
  return {
    status: 200,
    body: {
      data: all.slice(start, start + limit),
      next_page_url: start + limit < all.length ? link(start + limit) : null,
      previous_page_url: start > 0 ? link(Math.max(0, start - limit)) : null,
    },
  };
}

function pageToken(start: number): string {
  return `page_${start.toString(36)}`;
}

function pageStart(token: string): number | undefined {
  const match = /^page_([0-9a-z]{1,8})$/.exec(token);
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 36);
}

/** The `limit` of a v1 list, or HTTP 400. */
export function readLimit(value: unknown): number | Answer {
  if (value === undefined || value === '') return DEFAULT_LIMIT;
  const limit = Number(value);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LARGEST_LIMIT) return limit;
  return errorAnswer(400, {
    code: 'parameter_invalid_integer',
    message: `Invalid limit: must be between 1 and ${LARGEST_LIMIT}`,
    param: 'limit',
  });
}

const paging = new Set(['limit', 'starting_after', 'ending_before', 'expand', 'page', 'query']);

/** A filter is a field's value; `created[gte]` and the like compare; a field that the object lacks filters nothing. */
function matches(object: StripeObject, query: Fields): boolean {
  return Object.entries(query).every(([name, wanted]) => {
    if (paging.has(name) || !(name in object)) return true;
    const value = object[name];
    if (typeof wanted === 'object' && wanted !== null) {
      return Object.entries(wanted).every(([bound, limit]) => isWithin(Number(value), bound, Number(limit)));
    }
    return String(value) === String(wanted);
  });
}

function isWithin(value: number, bound: string, limit: number): boolean {
  switch (bound) {
    case 'gt':
      return value > limit;
    case 'gte':
      return value >= limit;
    case 'lt':
      return value < limit;
    case 'lte':
      return value <= limit;
    default:
      return true;
  }
}

function kindOf(all: readonly StripeObject[], id: string): string {
  return all[0]?.object ?? id.replace(/_.*$/, '');
}
