import { type Answer, errorAnswer } from './answer.ts';
import { emptyFields, type Fields, nestsTooDeep, parseForm, setField } from './form-body.ts';
import type { RawRequest } from './raw-request.ts';

/** A request to the API, read. */
export interface ApiRequest {
  readonly method: string;
  /** Without the query and a trailing slash. */
  readonly path: string;
  /** The query of a GET or DELETE, with the body's fields. */
  readonly fields: Fields;
  readonly expand: readonly string[];
  readonly authorization: string | undefined;
  /** `Stripe-Version`. */
  readonly version: string | undefined;
  /** `Stripe-Account`. */
  readonly account: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** As it came: for a server behind the gate, and for telling two requests apart. */
  readonly raw: RawRequest;
}

/** Parses what came over the wire; a body that is not what it says is HTTP 400. */
export async function readRequest(raw: RawRequest): Promise<ApiRequest | { readonly refusal: Answer }> {
  const { method, url, headers, body } = raw;
  const mark = url.indexOf('?');
  const [rawPath, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
  const type = headers['content-type'] ?? '';
  const fields = parseForm(query);
  const read = await readBody(body, type);
  if (read === undefined) {
    return { refusal: errorAnswer(400, { message: 'Invalid request body: it could not be parsed.' }) };
  }
  // A server behind the gate may heed either, so both count.
  const expand = expandIn(fields, query).concat(expandIn(read, body));
  if (expand.length > MOST_EXPANSIONS) {
    const message = `You cannot expand more than ${MOST_EXPANSIONS} properties at once.`;
    return { refusal: errorAnswer(400, { message }) };
  }
  Object.assign(fields, read);
  const text = (name: string) => {
    const value = headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return {
    method,
    path: rawPath.length > 1 ? rawPath.replace(/\/$/, '') : rawPath,
    fields,
    expand,
    authorization: text('authorization'),
    version: text('stripe-version'),
    account: text('stripe-account') ?? text('stripe-context'),
    idempotencyKey: text('idempotency-key'),
    raw,
  };
}

async function readBody(body: Buffer, type: string): Promise<Fields | undefined> {
  if (body.length === 0) return {};
  if (/^application\/json/i.test(type)) return readJson(body);
  if (/^multipart\/form-data/i.test(type)) return readMultipart(body, type);
  return parseForm(body.toString('utf8'));
}

function readJson(body: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) && !nestsTooDeep(value)
      ? Object.assign(emptyFields(), value)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The platform's own parser of forms; a file becomes its name, size and type, and its content is dropped. */
async function readMultipart(body: Buffer, type: string): Promise<Fields | undefined> {
  try {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    const fields = emptyFields();
    for (const [name, value] of form) {
      setField(
        fields,
        name,
        typeof value === 'string' ? value : { name: value.name, size: value.size, type: value.type },
      );
    }
    return fields;
  } catch {
    return undefined;
  }
}

/**
 * Every path that `expand` names, in whatever form: of two forms in one text only the later stands in the fields.
 * @param text the form that they were parsed from, if it was one
 */
function expandIn(fields: Fields, text: string | Buffer): string[] {
  const names = Object.keys(fields).filter((name) => name.startsWith('expand'));
  if (names.length === 0) return [];
  const inText = [...new URLSearchParams(text.toString())].flatMap(([name, value]) =>
    name.startsWith('expand') ? [value] : [],
  );
  return [...new Set([...inText, ...names.flatMap((name) => textsIn(fields[name]))])].filter(
    (path) => path !== '',
  );
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Bounds the work of one request. */
const MOST_EXPANSIONS = 100;
