import type { Place } from '../../catalog/money-rule.ts';

/** The values at a place such as `lines[].amount` or `pending_request.amount`; `[]` means every entry. */
export function valuesAt(value: unknown, path: string): readonly unknown[] {
  let values: readonly unknown[] = [value];
  for (const step of path.replaceAll('[]', '.[]').split('.')) {
    values = values.flatMap((one) => {
      if (typeof one !== 'object' || one === null) return [];
      if (step === '[]') return Object.values(one);
      return Object.hasOwn(one, step) ? [(one as Record<string, unknown>)[step]] : [];
    });
  }
  return values.filter((one) => one !== undefined && one !== null);
}

/** A place without its root: `body:amount` → `amount`; undefined for one of another root. */
export function pathIn(place: Place, root: 'body' | 'object' | 'response'): string | undefined {
  return place.startsWith(`${root}:`) ? place.slice(root.length + 1) : undefined;
}

/**
 * A number of minor units as it stands in a form: digits, no sign but a minus, no leading zero, no exponent, no
 * blank. What Stripe might read otherwise is none.
 */
export function minorIn(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string' || !/^-?(?:0|[1-9]\d{0,14})$/.test(value) || value === '-0') return undefined;
  return Number(value);
}

/** A currency as it stands in a request or an answer. Stripe takes both cases. */
export function currencyIn(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z]{3}$/.test(value) ? value.toLowerCase() : undefined;
}

/** An id in an answer: a text, or an object that was expanded. */
export function idIn(value: unknown): string | null {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'object' && value !== null && 'id' in value) return idIn(value.id);
  return null;
}

/** An id as part of a path of ours. */
export function inPath(id: string): string {
  return encodeURIComponent(id);
}
