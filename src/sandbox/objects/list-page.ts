import { type Answer, errorAnswer, missingObject } from '../../http/answer.ts';
import { type Fields, formPairs } from '../../http/form-body.ts';
import type { StripeObject } from './object-store.ts';

const DEFAULT_LIMIT = 10;
const LARGEST_LIMIT = 100;

/**
 * A page of a v1 list, by cursors, which need not be in the list themselves: an object may since have left it.
 * @see https://docs.stripe.com/api/pagination
 */
export function listPage(
  all: readonly StripeObject[],
  { url, query, filter }: { url: string; query: Fields; filter: (object: StripeObject) => boolean },
): Answer {
  const limit = readLimit(query.limit);
  if (typeof limit === 'object') return limit;
  const { starting_after: after, ending_before: before } = query;
  let start = 0;
  let end = all.length;
  if (typeof after === 'string' && after !== '') {
    const index = all.findIndex((object) => object.id === after);
    if (index < 0) return missingObject(kindOf(all, after), after, 'starting_after', 400);
    start = index + 1;
  }
  const backwards = typeof before === 'string' && before !== '';
  if (backwards) {
    const index = all.findIndex((object) => object.id === before);
    if (index < 0) return missingObject(kindOf(all, before), before, 'ending_before', 400);
    end = index;
  }
  const found = all.slice(start, end).filter(filter);
  const data = backwards ? found.slice(-limit) : found.slice(0, limit);
  return { status: 200, body: { object: 'list', data, has_more: found.length > limit, url } };
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
    const search = new URLSearchParams(formPairs(rest));
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

function kindOf(all: readonly StripeObject[], id: string): string {
  return all[0]?.object ?? id.replace(/_.*$/, '');
}
