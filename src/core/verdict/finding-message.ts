import type { FindingKind, ProbeResult } from './finding.ts';
import type { Verdict } from './verdict.ts';

/** One sentence that says what was seen, and one that says what to do; no colour, no line breaks. */
export function messageFor(
  kind: FindingKind | undefined,
  result: Omit<ProbeResult, 'message'>,
  verdict: Verdict,
  acceptedReason: string | undefined,
): string {
  const call = `${describeOperation(result.operation)} (${result.operation}, ${result.method} ${result.path})`;
  switch (kind) {
    case 'over-grant':
      return `This key can ${call}, which the profile does not ask for. ${overGrantRemedy(result)}`;
    case 'under-grant':
      return verdict.kind === 'impossible'
        ? `The profile needs to ${call}, which Stripe grants to no restricted key. Take it out of the profile.`
        : `This key cannot ${call}, which the profile needs. Add ${result.permission ?? 'the permission'} to the key, or take the need out of the profile.`;
    case 'inconclusive':
      return `${verdict.message} Nothing is known about ${result.operation}.`;
    case 'accepted':
      return `This key can also ${call}. The profile accepts that: ${sentence(acceptedReason ?? 'no reason given')}`;
    case undefined:
      return verdict.message;
  }
}

function overGrantRemedy(result: Omit<ProbeResult, 'message'>): string {
  switch (result.expectation) {
    case 'widening':
      return result.method === 'GET'
        ? `It comes with ${result.permission}; accept ${result.operation} in the profile with a reason, or drop "widening: strict".`
        : `It comes with ${result.permission} and cannot be separated; accept ${result.operation} in the profile with a reason, or ask for less.`;
    case 'unknown':
      return 'Which permission grants it is unknown; take permissions off the key until it is refused, or accept it by name.';
    default:
      return `Take ${result.permission} off the key, or add the need to the profile.`;
  }
}

/** `charges.create` → `create charges`; `customers.listPaymentMethods` → `list payment methods of customers`. */
export function describeOperation(name: string): string {
  const parts = name.split('.');
  const method = words(parts.at(-1) ?? '').replace(/^del$/, 'delete');
  const resource = words(parts.at(-2) ?? '');
  return method.includes(' ') ? `${method} of ${resource}` : `${method} ${resource}`;
}

function words(camel: string): string {
  return camel
    .replace(/([A-Z])/g, ' $1')
    .toLowerCase()
    .trim();
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
