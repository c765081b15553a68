import { isWrite, type Operation, type OperationName, type Parameter } from './catalog.ts';
import { objectKind, objectKindsInPath, referencedResource } from './id-prefix.ts';
import type { Probe } from './probe.ts';

export interface ProbeMaterial {
  /** The operation's top-level parameters. */
  readonly parameters: readonly Parameter[];
  /** Fresh for each run; it makes ids that cannot exist. Lower-case letters and digits. */
  readonly nonce: string;
  /** Whether a calibration has shown that this operation authorises before it validates. */
  readonly calibrated?: boolean;
}

/** A parameter that no operation has; Stripe answers 400 `parameter_unknown` when the key is allowed. */
export const UNKNOWN_PARAMETER = 'keyaudit_probe';

/**
 * The harmless request that asks "may this key do X?". It never holds a real id or an amount, and
 * a create is never sent empty: each carries a parameter that Stripe must refuse, or refers to an
 * object that cannot exist.
 */
export function buildProbe(operation: Operation, material: ProbeMaterial): Probe {
  const { calibrated = false } = material;
  const shaped = shape(operation, material);
  return { operation, calibrated, ...shaped, strength: calibrated ? 'strong' : shaped.strength };
}

type Shaped = Omit<Probe, 'operation' | 'calibrated'>;

function shape(operation: Operation, material: ProbeMaterial): Shaped {
  const path = impossiblePath(operation.path, material.nonce);
  const hasId = operation.path.includes('{id}');
  if (!isWrite(operation))
    return hasId ? { path, shape: 'retrieve', strength: 'strong' } : read(operation, material);
  if (hasId) {
    const body = operation.method === 'POST' ? harmlessBody(operation, material) : undefined;
    return { path, shape: 'missing-object', strength: 'strong', ...(body === undefined ? {} : { body }) };
  }
  return create(operation, path, material);
}

function read(operation: Operation, material: ProbeMaterial): Shaped {
  const { parameters, nonce } = material;
  const query = new URLSearchParams();
  if (parameters.some((parameter) => parameter.name === 'limit')) query.set('limit', '1');
  const required = parameters.filter((parameter) => parameter.required);
  for (const parameter of required) {
    const value = requiredInQuery(operation, parameter, nonce);
    if (value !== undefined) query.set(parameter.name, value);
  }
  const complete = required.every((parameter) => query.has(parameter.name));
  const path = query.size === 0 ? operation.path : `${operation.path}?${query}`;
  if (!complete) return { path, shape: 'missing-parameter', strength: 'weak' };
  if (operation.kind === 'retrieve') return { path, shape: 'singleton', strength: 'strong' };
  return { path, shape: 'list', strength: 'strong' };
}

function requiredInQuery(operation: Operation, parameter: Parameter, nonce: string): string | undefined {
  if (operation.kind === 'search' && parameter.name === 'query') return `metadata["keyaudit"]:"${nonce}"`;
  const resource = referencedResource(parameter.name);
  return resource === undefined ? undefined : impossibleId(objectKind(resource).prefix, nonce);
}

/**
 * For a path whose object cannot exist: one harmless change, since an empty body has been seen to be
 * answered before authorisation.
 */
function harmlessBody(operation: Operation, { parameters }: ProbeMaterial): Shaped['body'] {
  const metadata = parameters.find((parameter) => parameter.name === 'metadata');
  if (metadata === undefined || operation.path.startsWith('/v2/')) return undefined;
  return { metadata: { keyaudit: 'probe' } };
}

/**
 * Creates that name what they act on: with an object that cannot exist they can do nothing, and 404
 * is better evidence than 400.
 */
const createsByReference: Readonly<Record<OperationName, string>> = {
  'refunds.create': 'charge',
  'billingPortal.sessions.create': 'customer',
  'creditNotes.create': 'invoice',
  'customerSessions.create': 'customer',
};

function create(operation: Operation, path: string, { parameters, nonce }: ProbeMaterial): Shaped {
  const reference = createsByReference[operation.name];
  const required = parameters.filter((parameter) => parameter.required);
  const resource = reference === undefined ? undefined : referencedResource(reference);
  if (
    reference !== undefined &&
    resource !== undefined &&
    required.every((parameter) => parameter.name === reference)
  ) {
    const body = { [reference]: impossibleId(objectKind(resource).prefix, nonce) };
    return { path, body, shape: 'missing-object', strength: 'strong' };
  }
  const body = { [UNKNOWN_PARAMETER]: nonce };
  if (operation.host === 'files') {
    return {
      path,
      body: { ...body, purpose: UNKNOWN_PARAMETER },
      multipart: true,
      shape: 'impossible-value',
      strength: 'weak',
    };
  }
  return {
    path,
    body,
    shape: required.length > 0 ? 'missing-parameter' : 'unknown-parameter',
    strength: 'weak',
  };
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
