import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { NotedCall } from '../../core/draft/runs/recorded-run.ts';
import type { Forwarded } from '../../http/forward.ts';
import type { RawRequest } from '../../http/raw-request.ts';
import { readRequest } from '../../http/read-request.ts';

/** A longer answer is no error of Stripe's, in bytes. */
const LONGEST_ERROR = 1024 * 1024;

/** What is kept of a request and its answer, before the recorder has taken out what is not Stripe's. */
export async function notedExchange(raw: RawRequest, answer: Forwarded): Promise<NotedCall> {
  const { method, url } = raw;
  const outcome = answer.kind === 'answered' ? { status: answer.status, code: codeIn(answer) } : {};
  const request = await readRequest(raw);
  if ('refusal' in request) return { method, path: url.split('?', 1)[0] ?? '', ...outcome };
  const { expand: _expand, include, ...fields } = request.fields;
  const included = Array.isArray(include) ? include.filter((path) => typeof path === 'string') : [];
  return {
    method,
    path: request.path,
    expand: [...request.expand, ...included],
    account: request.account !== undefined,
    parameters: Object.keys(fields),
    ...moneyIn(fields),
    ...outcome,
  };
}

function moneyIn(fields: Readonly<Record<string, unknown>>): Pick<NotedCall, 'amount' | 'currency'> {
  const amount = fields.amount ?? fields.amount_to_capture ?? fields.amount_to_confirm;
  const { value = amount, currency = fields.currency } = (
    typeof amount === 'object' && amount !== null ? amount : {}
  ) as Record<string, unknown>;
  return {
    ...(/^\d{1,15}$/.test(String(value)) ? { amount: Number(value) } : {}),
    ...(typeof currency === 'string' ? { currency: currency.toLowerCase() } : {}),
  };
}

/** `error.code`, else `error.type`, of an answer from 400 on. */
function codeIn({ status, headers, body }: Extract<Forwarded, { kind: 'answered' }>): string | undefined {
  if (status < 400 || body.length > LONGEST_ERROR) return undefined;
  const encoding = headers.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1] ?? '';
  try {
    const { error } = JSON.parse(decoded(body, encoding).toString('utf8')) as { error?: unknown };
    const { code, type } = (error ?? {}) as Record<string, unknown>;
    return [code, type].find((one) => typeof one === 'string');
  } catch {
    return undefined;
  }
}

function decoded(body: Buffer, encoding: string): Buffer {
  const bound = { maxOutputLength: LONGEST_ERROR };
  switch (encoding.trim().toLowerCase()) {
    case 'gzip':
      return gunzipSync(body, bound);
    case 'deflate':
      return inflateSync(body, bound);
    case 'br':
      return brotliDecompressSync(body, bound);
    default:
      return body;
  }
}
