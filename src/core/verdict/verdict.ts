import { isBeyondSdk } from '../catalog/beyond-sdk.ts';
import { isWrite } from '../catalog/catalog.ts';
import type { Probe } from '../probe/probe.ts';
import type { Failure, Foreign, Observation, Unauthorized } from './observation.ts';
import { CAUSE_TEXT, type Cause } from './read-cause.ts';

/** `gated`: permitted, and held by a rule of the account until somebody approves; `guarded`: the guard answered. */
export const VERDICT_KINDS = [
  'allowed',
  'gated',
  'forbidden',
  'guarded',
  'impossible',
  'inconclusive',
] as const;
export type VerdictKind = (typeof VERDICT_KINDS)[number];

/** Whether a verdict shows that the key holds the permission. */
export function holds(kind: VerdictKind): boolean {
  return kind === 'allowed' || kind === 'gated';
}

export type InconclusiveReason =
  | 'dead-key'
  | 'ip-refused'
  | 'foreign-answer'
  | 'unrecognised-refusal'
  | 'wrong-account'
  | 'connect'
  | 'rate-limit'
  | 'server-error'
  | 'network'
  | 'unknown-url'
  | 'not-open'
  | 'blind-probe'
  | 'not-about-permissions';

/** What an observation says about the question; not knowing is a verdict of its own. */
export interface Verdict {
  readonly kind: VerdictKind;
  readonly evidence: 'strong' | 'weak';
  /** Of `inconclusive`. */
  readonly reason?: InconclusiveReason;
  /** Permissions that the answer names. */
  readonly named: readonly string[];
  /** One plain sentence. */
  readonly message: string;
  /** Every further probe would be answered alike: the run ends here. */
  readonly stopsRun?: boolean;
  /** A write was answered 2xx: the probe was not harmless. */
  readonly unsafe?: boolean;
}

/** What is known of the server that answered. */
export interface Server {
  /** It keeps nothing, as stripe-mock: a write answered 2xx did nothing. */
  readonly stateless?: boolean;
  /** It checks the permission of every expansion before it looks for the object, as our own gate does. */
  readonly checksExpansions?: boolean;
}

/**
 * Observation → verdict. Only a refusal in one of Stripe's own wordings counts as forbidden, and only
 * an answer that Stripe gives after its permission check counts as allowed; all else is inconclusive.
 * @see docs/observed.md
 */
export function judge(probe: Probe, observation: Observation, server: Server = {}): Verdict {
  const verdict = judgeAnswer(probe, observation, server);
  if (isBeyondSdk(probe.operation)) return judgeBeyondSdk(verdict, probe, observation, server);
  const isSuccess = (observation.status ?? 0) < 300;
  return probe.blind === true && holds(verdict.kind) && !isSuccess
    ? inconclusive(
        'blind-probe',
        `A blind probe: calibration has shown that every key gets this answer (HTTP ${observation.status}), so another call of the same permission must tell.`,
      )
    : verdict;
}

/**
 * Of a call that the SDK does not have only a plain sign counts: an account that Stripe has not let in gets answers of
 * many kinds, none of which is about the key.
 */
function judgeBeyondSdk(
  verdict: Verdict,
  { operation }: Probe,
  { status, errorCode = '' }: Observation,
  { checksExpansions = false }: Server,
): Verdict {
  const { access } = operation as typeof operation & { access?: string };
  if (verdict.reason === 'unknown-url')
    return inconclusive(
      'not-open',
      'This call is not open to this account (HTTP 404), so it says nothing about the key.',
    );
  if (verdict.kind !== 'allowed' || verdict.unsafe === true) return verdict;
  if (access === 'expansion' && !checksExpansions)
    return inconclusive(
      'blind-probe',
      `Only a refusal would tell here: the object is looked for before the field (HTTP ${status}).`,
    );
  return status === 400 && !/^(?:parameter_|resource_missing$|invalid_fields$)/.test(errorCode)
    ? inconclusive('not-open', `HTTP 400 (${errorCode || 'no code'}) need not be about the key here.`)
    : verdict;
}

function judgeAnswer(probe: Probe, observation: Observation, server: Server): Verdict {
  const { status, failure, foreign, requestId } = observation;
  if (failure !== undefined) return inconclusive('network', failureText[failure]);
  if (foreign === 'not-stripe' && probe.operation.host === 'connect' && requestId !== undefined)
    return inconclusive(
      'not-about-permissions',
      'OAuth answers in a form of its own, which says nothing about the permissions of a key.',
    );
  if (foreign !== undefined) return inconclusive('foreign-answer', foreignText[foreign]);
  if (status === undefined) return inconclusive('network', 'No answer came.');
  if (requestId === undefined) return inconclusive('foreign-answer', foreignText['no-request-id']);
  if (observation.errorCode?.startsWith('keyaudit_') === true) return byGuard(observation);
  if (status >= 200 && status < 300) return accepted(probe, observation, server);
  if (observation.cause !== undefined) return aboutSomethingElse(observation.cause, status);
  switch (status) {
    case 400:
      return badRequest(probe, observation);
    case 401:
      return probe.operation.host === 'meter-events'
        ? aboutSomethingElse('session', status)
        : unauthorized(observation.unauthorized ?? 'other');
    case 403:
      return refused(observation, probe.account !== undefined);
    case 404:
      return notFound(observation);
    case 402:
    case 409:
      return inconclusive('not-about-permissions', `HTTP ${status} says nothing about permissions.`);
    case 429:
      return rateLimited(observation);
    default:
      return status >= 500
        ? inconclusive('server-error', `The server failed (HTTP ${status}).`)
        : inconclusive('not-about-permissions', `HTTP ${status} says nothing about permissions.`);
  }
}

/** The guard's own answers have codes of its own; what it could not tell says nothing. */
function byGuard({ status = 0, errorCode }: Observation): Verdict {
  const message = `The guard answered (${errorCode}).`;
  if (status === 401) return { ...inconclusive('dead-key', message), stopsRun: true };
  return status >= 500
    ? inconclusive('server-error', message)
    : { ...allowed('strong', message), kind: 'guarded' };
}

function accepted(probe: Probe, observation: Observation, { stateless = false }: Server): Verdict {
  if (!isWrite(probe.operation) || stateless)
    return allowed('strong', `Allowed: answered HTTP ${observation.status}.`);
  const object = observation.createdObject === undefined ? '' : ` (${observation.createdObject})`;
  return {
    ...allowed(
      'strong',
      `Allowed, and the probe was not harmless: a write was answered HTTP ${observation.status}${object}. Look at what it changed.`,
    ),
    unsafe: true,
    stopsRun: true,
  };
}

/** A 429 without `Stripe-Rate-Limited-Reason` is a lock timeout: two requests met on one object. */
function rateLimited({ rateLimitedReason }: Observation): Verdict {
  return rateLimitedReason === undefined
    ? inconclusive(
        'rate-limit',
        'Another request held the object (HTTP 429, lock timeout), every retry included.',
      )
    : inconclusive(
        'rate-limit',
        `The rate limit (${rateLimitedReason}) was still in force after every retry (HTTP 429).`,
      );
}

/** Codes and types of a 400 that Stripe gives before it looks at the key's permissions. */
const BEFORE_PERMISSIONS: ReadonlySet<string> = new Set([
  'idempotency_error',
  'idempotency_key_in_use',
  'livemode_mismatch',
  'testmode_charges_only',
  'platform_api_key_expired',
  'platform_account_required',
  'secret_key_required',
  'api_key_expired',
  'invalid_api_version',
  'account_invalid',
  'api_error',
  'authentication_error',
  'rate_limit',
  'rate_limit_error',
]);

function badRequest(probe: Probe, { errorCode, errorType }: Observation): Verdict {
  if (errorType === undefined && errorCode === undefined)
    return inconclusive('foreign-answer', foreignText['not-stripe']);
  if (BEFORE_PERMISSIONS.has(errorCode ?? '') || BEFORE_PERMISSIONS.has(errorType ?? '')) {
    return inconclusive(
      'not-about-permissions',
      `HTTP 400 (${errorCode ?? errorType}) says nothing about permissions.`,
    );
  }
  if (errorCode === 'resource_missing')
    return allowed('strong', 'Allowed: Stripe looked for the object, which cannot exist.');
  return allowed(
    probe.calibrated ? 'strong' : 'weak',
    'Allowed: Stripe refused the parameters, not the key.',
  );
}

/** Of these only a gate of Approvals tells: Stripe reached it, so the permission is there. */
function aboutSomethingElse(cause: Cause, status: number): Verdict {
  if (cause === 'approval-required') return { ...allowed('strong', CAUSE_TEXT[cause]), kind: 'gated' };
  const reason = cause === 'v2-forbidden' ? 'unrecognised-refusal' : 'not-about-permissions';
  return inconclusive(reason, `${CAUSE_TEXT[cause]} HTTP ${status} says nothing about permissions here.`);
}

function notFound({ errorCode, unknownUrl = false }: Observation): Verdict {
  return !unknownUrl && (errorCode === 'resource_missing' || errorCode === 'not_found')
    ? allowed('strong', 'Allowed: Stripe looked for the object, which cannot exist.')
    : inconclusive(
        'unknown-url',
        'The server does not know this URL (HTTP 404), so it says nothing about the key.',
      );
}

/** @param connect whether the Connect side is asked, so that having no Connect permission at all is an answer */
function refused({ refusal, errorCode }: Observation, connect: boolean): Verdict {
  if (errorCode === 'api_key_expired' || errorCode === 'platform_api_key_expired')
    return unauthorized('expired-key');
  switch (refusal?.dialect) {
    case undefined:
      return inconclusive(
        'unrecognised-refusal',
        "HTTP 403 in words that are none of Stripe's known refusals.",
      );
    case 'a':
    case 'b':
    case 'c':
    case 'e':
    case 'guide': {
      const { named } = refusal;
      const hint = named.length === 0 ? '' : `; ${named.join(' or ')} would allow it`;
      return {
        kind: 'forbidden',
        evidence: 'strong',
        named,
        message: `Forbidden: Stripe refused the key${hint}.`,
      };
    }
    case 'd':
      return {
        kind: 'impossible',
        evidence: 'strong',
        named: [],
        message: 'Forbidden to every restricted key, whatever its permissions.',
      };
    case 'f':
      return connect
        ? {
            kind: 'forbidden',
            evidence: 'strong',
            named: [],
            message: 'Forbidden: the key has no Connect permissions at all.',
          }
        : inconclusive(
            'connect',
            'The key has no Connect permissions, so a call with Stripe-Account says nothing about this one.',
          );
    case 'g':
      return inconclusive('wrong-account', 'The key has no access to this account.');
    case 'h':
      return inconclusive(
        'connect',
        'The account is no Connect platform, so it cannot act on other accounts.',
      );
    case 'i':
      return inconclusive(
        'wrong-account',
        'The key belongs to an application, whose own permissions were refused.',
      );
  }
}

function unauthorized(what: Unauthorized): Verdict {
  const reason = what === 'ip-address' ? 'ip-refused' : 'dead-key';
  return { ...inconclusive(reason, unauthorizedText[what]), stopsRun: true };
}

function allowed(evidence: 'strong' | 'weak', message: string): Verdict {
  return { kind: 'allowed', evidence, named: [], message };
}

function inconclusive(reason: InconclusiveReason, message: string): Verdict {
  return { kind: 'inconclusive', evidence: 'weak', reason, named: [], message };
}

const unauthorizedText: Readonly<Record<Unauthorized, string>> = {
  'invalid-key':
    'Stripe does not know this key (HTTP 401): it is wrong, deleted, or of another account or server.',
  'expired-key': 'The key has expired or was revoked (HTTP 401).',
  'ip-address':
    'The key is known, but this IP address may not use it (HTTP 401); from others it may well work.',
  'publishable-key': 'A publishable key was sent, which may call next to nothing (HTTP 401).',
  'no-key': 'The server saw no key at all (HTTP 401); something between here and there drops the header.',
  other: 'The key was not accepted (HTTP 401).',
};

const foreignText: Readonly<Record<Foreign, string>> = {
  redirect: 'The answer was a redirect, which Stripe never sends; a portal or proxy answered.',
  html: "The answer was HTML, not Stripe's JSON; a portal or proxy answered.",
  'not-json': 'The answer was no complete JSON.',
  'not-stripe': "The answer was JSON, but not of Stripe's form.",
  'no-request-id':
    "The answer has no Request-Id header, so it is not Stripe's; the host is wrong or something answered in between.",
};

const failureText: Readonly<Record<Failure, string>> = {
  timeout: 'No answer came in time.',
  reset: 'The connection was cut before an answer came.',
  refused: 'The connection was refused: nothing listens there.',
  dns: 'The name of the server was not found.',
  tls: 'No secure connection could be made; the certificate or the clock is wrong.',
  aborted: 'The run was stopped before an answer came.',
  'given-up': 'Not asked: none of the requests before it was answered by Stripe, retries included.',
  other: 'The connection failed.',
};
