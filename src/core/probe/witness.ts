/** Who says what a key may do. `auto`: its probes, and Stripe's record where a secret key is at hand. */
export const WITNESSES = ['auto', 'probes', 'record', 'both'] as const;
export type Witness = (typeof WITNESSES)[number];
