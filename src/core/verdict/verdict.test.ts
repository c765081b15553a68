import { describe, expect, it } from 'vitest';
import { probeOf } from '../../../test/support/profiles.ts';
import type { Probe } from '../probe/probe.ts';
import type { Failure, Foreign, Observation, Unauthorized } from './observation.ts';
import type { RefusalDialect } from './refusal-dialect.ts';
import { judge, type Verdict } from './verdict.ts';

const list = probeOf('charges.list');
const create = probeOf('customers.create');
const update = probeOf('customers.update');
const oauth = probeOf('oauth.token');

const timing = { timeMs: 1, attempts: 1 };
/** An answer of Stripe's, with its Request-Id. */
const answer = (status: number, more: Partial<Observation> = {}): Observation => ({
  status,
  requestId: 'req_1',
  ...timing,
  ...more,
});
const bad = (status: number, errorCode?: string, errorType = 'invalid_request_error'): Observation =>
  answer(status, { errorType, ...(errorCode === undefined ? {} : { errorCode }) });
const refusal = (dialect: RefusalDialect, ...named: string[]): Observation =>
  answer(403, { errorType: 'invalid_request_error', refusal: { dialect, named } });
const dead = (unauthorized?: Unauthorized): Observation =>
  answer(401, unauthorized === undefined ? {} : { unauthorized });

/** `kind`, `kind evidence`, `inconclusive reason`; `stops` and `unsafe` where they are set. */
function inShort(verdict: Verdict): string {
  const { kind, evidence, reason, stopsRun, unsafe } = verdict;
  const parts = kind === 'inconclusive' ? [kind, reason] : [kind, evidence];
  return [...parts, ...(stopsRun ? ['stops'] : []), ...(unsafe ? ['unsafe'] : [])].join(' ');
}

type Row = readonly [name: string, probe: Probe, observation: Observation, verdict: string, message: RegExp];

const failureRows: readonly (readonly [Failure, RegExp])[] = [
  ['timeout', /in time/],
  ['reset', /cut/],
  ['refused', /nothing listens/],
  ['dns', /name of the server/],
  ['tls', /certificate or the clock/],
  ['aborted', /stopped/],
  ['given-up', /Not asked/],
  ['other', /failed/],
];
const foreignRows: readonly (readonly [Foreign, number, RegExp])[] = [
  ['redirect', 302, /redirect/],
  ['html', 200, /HTML/],
  ['not-json', 200, /no complete JSON/],
  ['not-stripe', 200, /not of Stripe's form/],
  ['no-request-id', 200, /no Request-Id/],
];
const unauthorizedRows: readonly (readonly [Unauthorized, string, RegExp])[] = [
  ['invalid-key', 'dead-key', /does not know this key/],
  ['expired-key', 'dead-key', /expired or was revoked/],
  ['ip-address', 'ip-refused', /IP address/],
  ['publishable-key', 'dead-key', /publishable/],
  ['no-key', 'dead-key', /no key at all/],
  ['other', 'dead-key', /not accepted/],
];

const blind = (probe: Probe): Probe => ({ ...probe, blind: true });

const rows: readonly Row[] = [
  [
    'a 400 to a blind probe',
    blind(create),
    bad(400, 'parameter_unknown'),
    'inconclusive blind-probe',
    /every key gets/,
  ],
  [
    'a 404 to a blind probe',
    blind(update),
    bad(404, 'resource_missing'),
    'inconclusive blind-probe',
    /HTTP 404/,
  ],
  ['a 403 to a blind probe', blind(create), refusal('e', 'customer_write'), 'forbidden strong', /refused/],
  ['a 200 to a blind read', blind(list), answer(200), 'allowed strong', /HTTP 200/],
  [
    'a write answered 200 to a blind probe',
    blind(create),
    answer(200, { createdObject: 'cus_1' }),
    'allowed strong stops unsafe',
    /not harmless/,
  ],
  ['a read answered 200', list, answer(200), 'allowed strong', /^Allowed: answered HTTP 200/],
  [
    'a write answered 200',
    create,
    answer(200, { createdObject: 'cus_1' }),
    'allowed strong stops unsafe',
    /not harmless.*\(cus_1\)/,
  ],
  ['a write answered 201 without an id', create, answer(201), 'allowed strong stops unsafe', /HTTP 201\./],
  ['a delete answered 204', probeOf('customers.del'), answer(204), 'allowed strong stops unsafe', /HTTP 204/],

  ['404 resource_missing', update, bad(404, 'resource_missing'), 'allowed strong', /cannot exist/],
  ['404 not_found of v2', update, bad(404, 'not_found'), 'allowed strong', /cannot exist/],
  ['404 without a code: an unknown URL', update, bad(404), 'inconclusive unknown-url', /this URL/],
  ['404 with another code', update, bad(404, 'account_invalid'), 'inconclusive unknown-url', /this URL/],
  ['404 with no error at all', update, answer(404), 'inconclusive unknown-url', /this URL/],

  ['400 for a parameter', create, bad(400, 'parameter_unknown'), 'allowed weak', /parameters, not the key/],
  ['400 without a code', create, bad(400), 'allowed weak', /parameters, not the key/],
  [
    '400 of a calibrated probe',
    probeOf('customers.create', true),
    bad(400, 'parameter_unknown'),
    'allowed strong',
    /parameters, not the key/,
  ],
  ['400 resource_missing', update, bad(400, 'resource_missing'), 'allowed strong', /cannot exist/],
  ['400 with no error at all', create, answer(400), 'inconclusive foreign-answer', /not of Stripe's form/],

  ...[
    'idempotency_key_in_use',
    'livemode_mismatch',
    'testmode_charges_only',
    'platform_api_key_expired',
    'platform_account_required',
    'secret_key_required',
    'api_key_expired',
    'invalid_api_version',
    'account_invalid',
    'rate_limit',
  ].map(
    (code): Row => [
      `400 ${code} comes before permissions`,
      probeOf('customers.create', true),
      bad(400, code),
      'inconclusive not-about-permissions',
      new RegExp(code),
    ],
  ),
  ...['idempotency_error', 'api_error', 'authentication_error', 'rate_limit_error'].map(
    (type): Row => [
      `400 of type ${type} comes before permissions`,
      create,
      bad(400, undefined, type),
      'inconclusive not-about-permissions',
      new RegExp(type),
    ],
  ),

  [
    'dialect a',
    list,
    refusal('a', 'charge_read'),
    'forbidden strong',
    /refused the key; charge_read would allow it\./,
  ],
  [
    'dialect b',
    list,
    refusal('b', 'a_read', 'b_read'),
    'forbidden strong',
    /a_read or b_read would allow it/,
  ],
  ['dialect c', list, refusal('c'), 'forbidden strong', /refused the key\.$/],
  ['dialect d', list, refusal('d'), 'impossible strong', /every restricted key/],
  ['dialect e', list, refusal('e', 'plan_read'), 'forbidden strong', /plan_read would allow it/],
  ['dialect f', list, refusal('f'), 'inconclusive connect', /no Connect permissions/],
  ['dialect g', list, refusal('g'), 'inconclusive wrong-account', /no access to this account/],
  ['dialect h', list, refusal('h'), 'inconclusive connect', /no Connect platform/],
  ['dialect i', list, refusal('i'), 'inconclusive wrong-account', /application/],
  ["the guide's code", list, refusal('guide'), 'forbidden strong', /refused the key\.$/],
  ['403 in other words', list, bad(403), 'inconclusive unrecognised-refusal', /none of Stripe's known/],
  [
    '403 api_key_expired, as the guide has it',
    list,
    bad(403, 'api_key_expired'),
    'inconclusive dead-key stops',
    /expired or was revoked/,
  ],
  [
    '403 platform_api_key_expired',
    list,
    bad(403, 'platform_api_key_expired'),
    'inconclusive dead-key stops',
    /expired or was revoked/,
  ],

  ...unauthorizedRows.map(
    ([what, reason, message]): Row => [
      `401 ${what}`,
      list,
      dead(what),
      `inconclusive ${reason} stops`,
      message,
    ],
  ),
  ['401 that says nothing', list, dead(), 'inconclusive dead-key stops', /not accepted/],

  ['402', create, bad(402, 'card_declined', 'card_error'), 'inconclusive not-about-permissions', /HTTP 402/],
  ['409', create, bad(409), 'inconclusive not-about-permissions', /HTTP 409/],
  ['418', create, bad(418), 'inconclusive not-about-permissions', /HTTP 418/],
  [
    '429 with its reason',
    list,
    answer(429, { rateLimitedReason: 'endpoint-rate' }),
    'inconclusive rate-limit',
    /rate limit \(endpoint-rate\)/,
  ],
  ['429 without a reason', list, bad(429, 'lock_timeout'), 'inconclusive rate-limit', /lock timeout/],
  ...[500, 502, 503, 529].map(
    (status): Row => [`${status}`, list, bad(status), 'inconclusive server-error', new RegExp(`${status}`)],
  ),

  ...failureRows.map(
    ([failure, message]): Row => [
      `no answer: ${failure}`,
      list,
      { failure, ...timing },
      'inconclusive network',
      message,
    ],
  ),
  ['neither answer nor failure', list, timing, 'inconclusive network', /No answer came\.$/],

  ...foreignRows.map(
    ([foreign, status, message]): Row => [
      `${status} ${foreign}`,
      list,
      answer(status, { foreign }),
      'inconclusive foreign-answer',
      message,
    ],
  ),
  ['200 without Request-Id', list, { status: 200, ...timing }, 'inconclusive foreign-answer', /Request-Id/],
  [
    '403 in dialect a without Request-Id',
    list,
    { status: 403, refusal: { dialect: 'a', named: ['charge_read'] }, ...timing },
    'inconclusive foreign-answer',
    /Request-Id/,
  ],
  [
    '404 resource_missing without Request-Id',
    update,
    { status: 404, errorCode: 'resource_missing', ...timing },
    'inconclusive foreign-answer',
    /Request-Id/,
  ],
  [
    '401 without Request-Id does not stop the run',
    list,
    { status: 401, unauthorized: 'invalid-key', ...timing },
    'inconclusive foreign-answer',
    /Request-Id/,
  ],
  [
    'a write answered 200 by a stranger is not called unsafe',
    create,
    answer(200, { foreign: 'html' }),
    'inconclusive foreign-answer',
    /HTML/,
  ],
  [
    "OAuth's own form",
    oauth,
    answer(400, { foreign: 'not-stripe' }),
    'inconclusive not-about-permissions',
    /OAuth/,
  ],
  [
    "OAuth's form from a stranger",
    oauth,
    { status: 400, foreign: 'not-stripe', ...timing },
    'inconclusive foreign-answer',
    /not of Stripe's form/,
  ],
];

describe('judge', () => {
  it.each(rows)('%s', (_name, probe, observation, expected, message) => {
    const verdict = judge(probe, observation);
    expect(inShort(verdict)).toBe(expected);
    expect(verdict.message).toMatch(message);
  });

  it('takes a write answered 2xx for harmless only from a server that keeps nothing', () => {
    expect(judge(create, answer(200), { stateless: true })).toMatchObject({
      kind: 'allowed',
      evidence: 'strong',
    });
    expect(judge(create, answer(200), { stateless: true }).unsafe).toBeUndefined();
    expect(judge(create, answer(200)).unsafe).toBe(true);
  });

  it('passes on the permissions that a refusal names', () => {
    expect(judge(list, refusal('b', 'a_read', 'b_read')).named).toEqual(['a_read', 'b_read']);
  });

  it('never calls a status allowed or forbidden that Stripe gives for other reasons', () => {
    for (let status = 100; status < 600; status++) {
      if ((status >= 200 && status < 300) || [400, 403, 404].includes(status)) continue;
      expect(judge(create, bad(status, 'resource_missing')).kind, `${status}`).toBe('inconclusive');
    }
  });
});
