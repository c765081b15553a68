/** Where requests go, the default first. */
export const TARGETS = ['sandbox', 'stripe-mock', 'stripe'] as const;
export type Target = (typeof TARGETS)[number];
