/**
 * The wordings in which Stripe refuses a call with HTTP 403, by the letters of docs/observed.md.
 * `guide`: the bare code `insufficient_permissions`.
 */
export const REFUSAL_DIALECTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'guide'] as const;
export type RefusalDialect = (typeof REFUSAL_DIALECTS)[number];
