import { isWrite, type Operation, type OperationName, type Parameter } from '../catalog/catalog.ts';
import { objectKind, objectKindsInPath, referencedResource } from '../catalog/id-prefix.ts';
import type { Probe } from './probe.ts';

export interface ProbeMaterial {
  /** The operation's top-level parameters. */
  readonly parameters: readonly Parameter[];
  /** Fresh for each run; it makes ids that cannot exist. Lower-case letters and digits. */
  readonly nonce: string;
  /** Whether a calibration has shown that this operation authorises before it validates. */
  readonly calibrated?: boolean;
  /** Whether a calibration has shown that it validates first. */
  readonly blind?: boolean;
  /** Whether a calibration has shown that its probe is not harmless. */
  readonly unsafe?: boolean;
}

/** A parameter that no operation has; Stripe answers 400 `parameter_unknown` when the key is allowed. */
export const UNKNOWN_PARAMETER = 'keyaudit_probe';

/**
 * The harmless request that asks "may this key do X?". It never holds a real id or an amount, and
 * a create is never sent empty: each carries a parameter that Stripe must refuse, or refers to an
 * object that cannot exist.
 */
export function buildProbe(operation: Operation, material: ProbeMaterial): Probe {
  const { calibrated = false, blind = false, unsafe = false } = material;
  const shaped = shape(operation, material);
  const strength = calibrated ? 'strong' : blind ? 'weak' : shaped.strength;
  const known = { ...(blind ? { blind } : {}), ...(unsafe ? { unsafe } : {}) };
  return { operation, calibrated, ...shaped, strength, ...known };
}

type Shaped = Omit<Probe, 'operation' | 'calibrated' | 'blind' | 'unsafe'>;

function shape(operation: Operation, material: ProbeMaterial): Shaped {
  const path = impossiblePath(operation.path, material.nonce);
  const hasId = operation.path.includes('{id}');
  if (!isWrite(operation)) {
    const query = queryFor(operation, material);
    const asked = query.size === 0 ? path : `${path}?${query}`;
    const complete = hasAllRequired(material, new Set(query.keys()));
    const strength = complete ? 'strong' : 'weak';
    if (hasId) return { path: asked, shape: 'retrieve', strength };
    const shape = operation.kind === 'retrieve' ? 'singleton' : 'list';
    return { path: asked, shape: complete ? shape : 'missing-parameter', strength };
  }
  if (hasId) {
    const body = operation.method === 'POST' ? harmlessBody(operation, material) : undefined;
    const given = new Set(Object.keys(body ?? {}));
    // Parameters are checked before the object is looked for, and that is a 400.
    const strong = hasAllRequired(material, given) && !given.has(UNKNOWN_PARAMETER);
    const strength = strong ? 'strong' : 'weak';
    return { path, shape: 'missing-object', strength, body };
  }
  return create(operation, path, material);
}

/** @param given names as sent; `filter[type]` gives `filter` */
function hasAllRequired({ parameters }: ProbeMaterial, given: ReadonlySet<string>): boolean {
  const names = new Set([...given].map((name) => name.replace(/\[.*$/, '')));
  return parameters.every((parameter) => !parameter.required || names.has(parameter.name));
}

function queryFor(operation: Operation, { parameters, nonce }: ProbeMaterial): URLSearchParams {
  const query = new URLSearchParams();
  if (parameters.some((parameter) => parameter.name === 'limit')) query.set('limit', '1');
  for (const parameter of parameters.filter(({ required }) => required)) {
    const value = requiredInQuery(operation, parameter, nonce);
    if (value !== undefined) query.set(parameter.name, value);
  }
  const exception = exceptions[operation.name];
  for (const [name, value] of Object.entries(exception?.fields(nonce) ?? {})) query.set(name, value);
  return query;
}

function requiredInQuery(operation: Operation, parameter: Parameter, nonce: string): string | undefined {
  if (operation.kind === 'search' && parameter.name === 'query') return `metadata["keyaudit"]:"${nonce}"`;
  if (parameter.type === 'enum') return parameter.values?.[0];
  const resource = referencedResource(parameter.name);
  return resource === undefined ? undefined : impossibleId(objectKind(resource).prefix, nonce);
}

/** What a probe sends where the rules would ask nothing, or ask wrongly. */
interface ProbeException {
  /** Query of a read, or body of a create. */
  readonly fields: (nonce: string) => Readonly<Record<string, string>>;
  readonly reason: string;
}

const exceptions: Readonly<Record<OperationName, ProbeException>> = {
  'apps.secrets.list': {
    fields: (nonce) => ({ 'scope[type]': 'user', 'scope[user]': impossibleId('usr', nonce) }),
    reason: 'The required scope is an object; that of a user who cannot exist lists no real secret.',
  },
  'apps.secrets.find': {
    fields: (nonce) => ({
      name: UNKNOWN_PARAMETER,
      'scope[type]': 'user',
      'scope[user]': impossibleId('usr', nonce),
    }),
    reason: 'As the list.',
  },
  'billing.creditBalanceSummaries.retrieve': {
    fields: (nonce) => ({
      customer: impossibleId('cus', nonce),
      'filter[type]': 'applicability_scope',
      'filter[applicability_scope][price_type]': 'metered',
    }),
    reason: 'The required filter is an object.',
  },
  'billing.meters.listEventSummaries': {
    fields: () => ({ start_time: '0', end_time: '60' }),
    reason: 'The required times are numbers, and must be whole minutes.',
  },
  'financialConnections.transactions.list': {
    fields: (nonce) => ({ account: impossibleId('fca', nonce) }),
    reason: 'Here an account is a Financial Connections account, not a Stripe account.',
  },
  'financialConnections.accounts.listOwners': {
    fields: (nonce) => ({ ownership: impossibleId('fcaowns', nonce) }),
    reason: 'The required ownership is the id of an object that has no URL of its own.',
  },
  'oauth.token': {
    fields: () => ({ grant_type: UNKNOWN_PARAMETER }),
    reason: 'OAuth may ignore a parameter that it does not know; an impossible grant type it must refuse.',
  },
  'oauth.deauthorize': {
    fields: (nonce) => ({
      client_id: impossibleId('ca', nonce),
      stripe_user_id: impossibleId('acct', nonce),
    }),
    reason: 'OAuth may ignore a parameter that it does not know; an account that cannot exist has no access.',
  },
};

/**
 * For a path whose object cannot exist: one change that would be harmless even if it did, since an
 * empty update has been seen to be answered before authorisation.
 * @see docs/observed.md
 */
function harmlessBody(operation: Operation, { parameters, nonce }: ProbeMaterial): Shaped['body'] {
  if (parameters.some(({ name }) => name === 'metadata')) return { metadata: { keyaudit: 'probe' } };
  if (operation.kind !== 'update') return operation.path.startsWith('/v2/') ? {} : undefined;
  const label = parameters.find(({ name, type }) => type === 'string' && LABELS.has(name));
  if (label !== undefined) return { [label.name]: UNKNOWN_PARAMETER };
  const value = parameters.find(({ type, values }) => type === 'enum' && values !== undefined);
  if (value?.values !== undefined) return { [value.name]: value.values[0] };
  return { [UNKNOWN_PARAMETER]: nonce };
}

const LABELS: ReadonlySet<string> = new Set(['name', 'display_name', 'description']);

/**
 * Creates that name what they act on: with an object that cannot exist they can do nothing, and 404
 * is better evidence than 400.
 */
const createsByReference: Readonly<Record<OperationName, string>> = {
  'refunds.create': 'charge',
  'billingPortal.sessions.create': 'customer',
  'creditNotes.create': 'invoice',
};

function create(operation: Operation, path: string, { parameters, nonce }: ProbeMaterial): Shaped {
  const reference = createsByReference[operation.name];
  const resource = reference === undefined ? undefined : referencedResource(reference);
  if (reference !== undefined && resource !== undefined) {
    const body = { [reference]: impossibleId(objectKind(resource).prefix, nonce) };
    return { path, body, shape: 'missing-object', strength: 'strong' };
  }
  const body = { [UNKNOWN_PARAMETER]: nonce, ...exceptions[operation.name]?.fields(nonce) };
  if (operation.host === 'files') {
    return {
      path,
      body: { ...body, purpose: UNKNOWN_PARAMETER },
      multipart: true,
      shape: 'impossible-value',
      strength: 'weak',
    };
  }
  if (parameters.some(({ required }) => required)) {
    return { path, body, shape: 'missing-parameter', strength: 'weak' };
  }
  return {
    path,
    body: { ...body, ...secondObstacle(parameters, nonce) },
    shape: 'unknown-parameter',
    strength: 'weak',
  };
}

/**
 * For a create or a change of settings that needs no parameter: besides the unknown parameter a value
 * that cannot be, so that a server which overlooked the one would still refuse the other.
 */
function secondObstacle(parameters: readonly Parameter[], nonce: string): Readonly<Record<string, string>> {
  const reference = parameters.find(({ name, type }) => type === 'string' && referencedResource(name));
  const resource = reference && referencedResource(reference.name);
  if (reference !== undefined && resource !== undefined) {
    return { [reference.name]: impossibleId(objectKind(resource).prefix, nonce) };
  }
  const choice = parameters.find(({ type }) => type === 'enum');
  return choice === undefined ? {} : { [choice.name]: UNKNOWN_PARAMETER };
}

/** Puts an id that cannot exist, of the right prefix, in each place. */
export function impossiblePath(template: string, nonce: string): string {
  const kinds = objectKindsInPath(template);
  let index = 0;
  return template.replace(/\{id\}/g, () => impossibleId(kinds[index++]?.prefix ?? 'id', nonce));
}

/** Stripe's ids are a prefix and at least 14 letters and digits chosen by Stripe; this one is chosen by us. */
export function impossibleId(prefix: string, nonce: string): string {
  return `${prefix}_keyaudit${nonce.padEnd(16, '0').slice(0, 16)}`;
}
