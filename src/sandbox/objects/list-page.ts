import { type Answer, errorAnswer, missingObject } from '../../http/answer.ts';
import { type Fields, formPairs } from '../../http/form-body.ts';
import type { StripeObject } from './object-store.ts';
import type { Listing } from './shelf.ts';

const DEFAULT_LIMIT = 10;
const LARGEST_LIMIT = 100;

/**
 * A page of a v1 list, by cursors, which need not be in the list themselves: an object may since have left it.
 * @see https://docs.stripe.com/api/pagination
 */
export function listPage(
  listing: Listing,
  { url, query, filter }: { url: string; query: Fields; filter: (object: StripeObject) => boolean },
): Answer {
  const limit = readLimit(query.limit);
  if (typeof limit === 'object') return limit;
  const below = readCursor(listing, query, 'starting_after');
  if (typeof below === 'object') return below;
  const above = readCursor(listing, query, 'ending_before');
  if (typeof above === 'object') return above;
  const newestFirst = above === undefined;
  const data: StripeObject[] = [];
  let hasMore = false;
  for (const object of listing.walk({ above, below, newestFirst })) {
    if (!filter(object)) continue;
    hasMore = data.length === limit;
    if (hasMore) break;
    data.push(object);
  }
  if (!newestFirst) data.reverse();
  return { status: 200, body: { object: 'list', data, has_more: hasMore, url } };
}

/** Where the object stands that a cursor names; undefined without one. */
function readCursor(
  listing: Listing,
  query: Fields,
  name: 'starting_after' | 'ending_before',
): number | undefined | Answer {
  const id = query[name];
  if (typeof id !== 'string' || id === '') return undefined;
  return listing.placeOf(id) ?? missingObject(kindOf(listing, id), id, name, 400);
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

function kindOf(listing: Listing, id: string): string {
  for (const { object } of listing.walk({ newestFirst: true })) return object;
  return id.replace(/_.*$/, '');
}
