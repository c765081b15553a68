import type { RowCall } from '../../core/spend/log-row.ts';
import type { Call } from '../read/read-call.ts';
import type { Served } from '../served.ts';
import type { Caller } from './caller.ts';
import { digestOf } from './known-keys.ts';
import type { Price } from './price-call.ts';

/** What an idempotency key is known by, and what it stands for. */
export interface KeyOfCall {
  readonly digest: string;
  readonly content: string;
}

/** Account, mode and key: Stripe knows no profiles. */
export function keyOf(call: Call, { mode }: Served): KeyOfCall {
  const { account = '', idempotencyKey = '', method, path, query, body, contentType = '' } = call;
  return {
    digest: digestOf(account, mode, idempotencyKey),
    content: digestOf(method, path, query, contentType, body),
  };
}

/** What a row says of a call. */
export function rowOf(call: Call, { run, served }: Caller): RowCall {
  return {
    run: run.id,
    profile: served.profile.name,
    policy: served.digest,
    operation: call.operation.name,
    method: call.method,
    path: call.operation.path,
    ids: call.ids.length === 0 ? undefined : call.ids,
    account: call.account,
  };
}

/** Calls that count as a total of one object go one after the other: what one asks for depends on what the last did. */
export function turnOf({ operation, ids, fields, account = '' }: Call, { mode }: Served): string | undefined {
  if (operation.method !== 'POST') return undefined;
  const named = fields.payment_intent;
  const ofIntent = operation.resource === 'payment_intents' || operation.resource === 'charges';
  const id = ofIntent
    ? ids[0]
    : typeof named === 'string' && operation.name.startsWith('terminal.')
      ? named
      : undefined;
  return id === undefined ? undefined : `${mode} ${account} ${id}`;
}

export function repeatOf(
  call: Call,
  { guard }: Served,
  price: Extract<Price, { kind: 'priced' | 'unpriced' }>,
): string | undefined {
  if (guard.repeat === 'allow' || !price.rule.repeatIsSuspect || price.kind === 'unpriced') return undefined;
  const { object, asked, currency, direction } = price.exposure;
  return digestOf(call.operation.name, call.account ?? '', object ?? '', asked, currency, direction);
}
