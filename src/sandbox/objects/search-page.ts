import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import { readLimit } from './list-page.ts';
import type { StripeObject } from './object-store.ts';
import { readSearch } from './search-query.ts';

/**
 * A page of search results.
 * @param collection where they are looked for: `charges`
 * @see https://docs.stripe.com/search
 */
export function searchPage(
  all: readonly StripeObject[],
  { collection, url, query }: { collection: string; url: string; query: Fields },
): Answer {
  const limit = readLimit(query.limit);
  if (typeof limit === 'object') return limit;
  const matches = readSearch(String(query.query ?? ''), collection);
  if (typeof matches === 'string') return errorAnswer(400, { message: matches, param: 'query' });
  const found = all.filter(matches);
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
