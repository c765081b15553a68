import type { IncomingHttpHeaders } from 'node:http';

/** A header as it stands on the wire: name and value. */
export type HeaderPair = readonly [name: string, value: string];

/** A request as it came in, for reading and for sending on. */
export interface RawRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came; repeated headers stand apart. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Who is at the other end of the connection; undefined once it is cut. */
  readonly remoteAddress: string | undefined;
}

/**
 * Of one connection and not of the request (RFC 9110, section 7.6.1), or of this hop by what they say: who the
 * caller is, which host it asked, how long the body is.
 */
const OF_ONE_HOP: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers to send on: first what belongs to one hop or is named by `Connection` is dropped, then the sender's own
 * take the place of the caller's, so that a caller cannot have them dropped. Repeated headers are kept apart.
 */
export function forwardedHeaders(
  { rawHeaders }: Pick<RawRequest, 'rawHeaders'>,
  own: readonly HeaderPair[],
): readonly HeaderPair[] {
  const replaced = new Set(own.map(([name]) => name.toLowerCase()));
  return [
    ...withoutHopByHop(pairs(rawHeaders)).filter(([name]) => !replaced.has(name.toLowerCase())),
    ...own,
  ];
}

/** What of an answer's or a request's headers is meant for the other end. */
export function withoutHopByHop(headers: readonly HeaderPair[]): readonly HeaderPair[] {
  const named = new Set(
    headers
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(',').map((one) => one.trim().toLowerCase())),
  );
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !OF_ONE_HOP.has(lower) && !named.has(lower);
  });
}

function pairs(raw: readonly string[]): readonly HeaderPair[] {
  return raw.flatMap((name, index): HeaderPair[] => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []));
}
