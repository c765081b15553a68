import { isWrite, type Operation } from '../../core/catalog/catalog.ts';
import { OLDEST_VERSION } from '../../core/catalog/older-versions.ts';
import { type FormFields, type FormReading, readStrictForm } from '../../core/spend/exposure/strict-form.ts';
import type { KnownCall } from '../../gate/gate.ts';
import type { VersionViews } from '../../gate/version-view.ts';
import type { RawRequest } from '../../http/raw-request.ts';
import type { RequestHead } from '../../http/serve.ts';
import type { Refusal } from '../refusal.ts';
import type { Served } from '../served.ts';
import { cleanPath } from './clean-path.ts';
import { readStrictJson } from './strict-json.ts';

/** What the head of a request says. */
export interface CallHead extends KnownCall {
  readonly method: string;
  /** Made anew of the operation's template and the ids. */
  readonly path: string;
  readonly query: string;
  readonly account: string | undefined;
  readonly version: string;
  readonly idempotencyKey: string | undefined;
  readonly contentType: string | undefined;
}

/** Why a call is refused by its head, and which it is, where that is known. */
export type HeadRefusal = Refusal & { readonly operation?: Operation };

/** A whole call, read. */
export interface Call extends CallHead {
  readonly fields: FormFields;
  readonly body: Buffer;
}

/** Headers of an agent's that go on to Stripe; whatever else it sends does not. */
const PASSED = [
  'accept',
  'accept-language',
  'content-type',
  'user-agent',
  'x-stripe-client-user-agent',
] as const;

const LONGEST_KEY = 255;
/** A form, and a file, in bytes. */
const LARGEST_BODY = 1024 * 1024;
const LARGEST_FILE = 20 * 1024 * 1024;

/**
 * Reads the head of a request, as far as it goes without its body: which operation, on whose account, in which
 * version, and whether the profile asks for it.
 */
export function readHead(head: RequestHead, served: Served, views: VersionViews): CallHead | HeadRefusal {
  const { method, url, headers } = head;
  const clean = cleanPath(url);
  if (!clean.ok) return ambiguous(clean.why);
  const found = views.of(undefined).gate.find(method, clean.path);
  if (found === undefined) {
    return { code: 'keyaudit_unknown_operation', why: 'the catalog knows no such operation' };
  }
  const refusal = headRefusal(head, clean.query, found.operation, served);
  if (refusal !== undefined) return { ...refusal, operation: found.operation };
  const { operation, ids } = found;
  const path = operation.path.replace(/\{id\}/g, pathId(ids));
  return {
    ...found,
    expansions: [],
    method,
    path,
    query: clean.query,
    account: text(headers['stripe-account']),
    version: text(headers['stripe-version']) ?? served.version,
    idempotencyKey: text(headers['idempotency-key']),
    contentType: text(headers['content-type']),
  };
}

/** Why a known operation is not let through, as far as its head tells. */
function headRefusal(
  { method, headers }: RequestHead,
  query: string,
  operation: Operation,
  served: Served,
): Refusal | undefined {
  if (headers['content-encoding'] !== undefined) return ambiguous('its body is compressed');
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding !== 'chunked') return ambiguous('its body is coded on its way');
  if (query !== '' && method === 'POST') return ambiguous('a POST has a query beside its body');
  const account = text(headers['stripe-account']);
  const stranger = accountRefusal(account, headers['stripe-context'], served);
  if (stranger !== undefined) return stranger;
  const version = text(headers['stripe-version']) ?? served.version;
  if (version.slice(0, 10) < OLDEST_VERSION) {
    return notAllowed(`nobody has said what calls of versions before ${OLDEST_VERSION} move`);
  }
  if (version !== served.version && !served.guard.versions.includes(version)) {
    return notAllowed(
      `the version ${plain(version)} is neither ${served.version} nor named under "guard.versions"`,
    );
  }
  const through = account === undefined ? served.through.own : served.through.connect;
  if (!through.has(operation.name)) {
    return notAllowed(`the profile ${served.profile.name} does not ask for it`);
  }
  const idempotencyKey = text(headers['idempotency-key']);
  if (
    idempotencyKey !== undefined &&
    (idempotencyKey.length > LONGEST_KEY || !/^[\x20-\x7e]+$/.test(idempotencyKey))
  ) {
    return ambiguous('its Idempotency-Key is no plain text of 255 signs at most');
  }
  return undefined;
}

/** How much of a body is read, in bytes. */
export function bodyLimit({ operation }: Pick<CallHead, 'operation'>): number {
  return operation.host === 'files' ? LARGEST_FILE : LARGEST_BODY;
}

/** Reads the rest: the fields, and what they ask to be expanded. */
export function readCall(
  head: CallHead,
  body: Buffer | undefined,
  served: Served,
  views: VersionViews,
): Call | Refusal {
  if (body === undefined) return ambiguous('its body is larger than any call of the API');
  const reading = readFields(head, body);
  if (!reading.ok) return ambiguous(reading.why, reading.param);
  const expanded = expandRefusal(head, reading.fields, served, views);
  return expanded ?? { ...head, fields: reading.fields, body };
}

/** The request as it goes on: of its headers those that Stripe needs, each once; the body byte for byte. */
export function forwardedRequest(
  call: Call,
  head: Pick<RequestHead, 'headers'>,
  key: string | undefined,
): RawRequest {
  const own: [string, string][] = [
    ['Accept-Encoding', 'identity'],
    ['Stripe-Version', call.version],
  ];
  if (call.account !== undefined) own.push(['Stripe-Account', call.account]);
  if (key !== undefined) own.push(['Idempotency-Key', key]);
  for (const name of PASSED) {
    const value = head.headers[name];
    if (typeof value === 'string' && value !== '') own.push([name, value]);
  }
  return {
    method: call.method,
    url: call.query === '' ? call.path : `${call.path}?${call.query}`,
    headers: {},
    rawHeaders: own.flat(),
    body: call.body,
    remoteAddress: undefined,
  };
}

function readFields({ operation, query, contentType = '', method }: CallHead, body: Buffer): FormReading {
  if (body.length === 0) return readStrictForm(Buffer.from(query));
  if (method === 'GET') return { ok: false, why: 'a GET has a body' };
  if (query !== '') return { ok: false, why: 'it has a query beside its body' };
  if (/^application\/x-www-form-urlencoded(?:\s*;\s*charset=utf-8)?$/i.test(contentType)) {
    return operation.path.startsWith('/v2/')
      ? { ok: false, why: 'its body is a form, and v2 takes JSON' }
      : readStrictForm(body);
  }
  if (
    /^application\/json(?:\s*;\s*charset=utf-8)?$/i.test(contentType) &&
    operation.path.startsWith('/v2/')
  ) {
    return readStrictJson(body);
  }
  // An upload moves no money, and its parts are for Stripe to read.
  if (operation.host === 'files' && /^multipart\/form-data/i.test(contentType)) {
    return { ok: true, fields: Object.create(null) as FormFields };
  }
  return { ok: false, why: 'its body is not what the API takes, by its Content-Type' };
}

/** What `expand` reaches must be readable by what is let through: a refund does not show a customer's card. */
function expandRefusal(
  { operation, account, version }: CallHead,
  fields: FormFields,
  { through, holder }: Served,
  views: VersionViews,
): Refusal | undefined {
  const { expand } = fields;
  if (expand === undefined) return undefined;
  const paths = typeof expand === 'string' ? [expand] : Object.values(expand);
  const texts = paths.filter((path): path is string => typeof path === 'string');
  if (texts.length !== paths.length) return ambiguous('expand is no list of names', 'expand');
  const connect = account !== undefined;
  const path = operation.path.replaceAll('{id}', 'id');
  const { gate } = views.of(version);
  const decision = gate.decide({ method: operation.method, path, expand: texts, connect }, holder);
  const names = connect ? through.connect : through.own;
  const isOpen =
    decision.kind === 'allowed' &&
    decision.expansions.every(({ reads }) => reads.every((any) => any.some(({ name }) => names.has(name))));
  return isOpen ? undefined : notAllowed('it expands what the profile does not ask for', 'expand');
}

function accountRefusal(
  account: string | undefined,
  context: string | string[] | undefined,
  { guard }: Served,
): Refusal | undefined {
  if (context !== undefined) return notAllowed('Stripe-Context is not let through');
  if (account === undefined || guard.accounts.includes(account)) return undefined;
  return notAllowed(`the account ${plain(account)} is not named under "guard.accounts"`);
}

function text(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined;
}

/** What a stranger wrote, as far as it can stand in a sentence. */
function plain(value: string): string {
  return value.replace(/[^\w.-]/g, '?').slice(0, 60);
}

function pathId(ids: readonly string[]): () => string {
  let next = 0;
  return () => encodeURIComponent(ids[next++] ?? '');
}

function ambiguous(why: string, param?: string): Refusal {
  return { code: 'keyaudit_ambiguous_request', why, param };
}

function notAllowed(why: string, param?: string): Refusal {
  return { code: 'keyaudit_operation_not_allowed', why, param };
}

/** Whether a call changes anything, so that it must stand in the log before it is sent. */
export function changes({ operation }: Pick<CallHead, 'operation'>): boolean {
  return isWrite(operation);
}
