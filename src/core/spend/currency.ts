/** An ISO 4217 code in lower case, as Stripe writes it on the wire. */
export type Currency = string;

/**
 * Currencies whose minor unit on Stripe's wire is not a hundredth, by decimals. All others have two.
 * Source: docs.stripe.com/currencies (zero-decimal, three-decimal and special cases), read on 2026-11-25.
 * UGX stands both in the zero-decimal list and among the special cases, with ISK: these two are sent with two
 * decimals that are always 00, and the special case governs. HUF and TWD have two decimals.
 */
const DECIMALS: ReadonlyMap<Currency, number> = new Map([
  ...split('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf').map((code) => [code, 0] as const),
  ...split('bhd jod kwd omr tnd').map((code) => [code, 3] as const),
]);

/** Currencies whose amounts can only be whole units, though the wire has two decimals. */
const WHOLE: ReadonlySet<Currency> = new Set(['isk', 'ugx']);

/** How many decimals an amount of the currency has on Stripe's wire: 5.00 usd is 500, 5 jpy is 5, 5.000 bhd is 5000. */
export function decimalsOf(currency: Currency): number {
  return DECIMALS.get(currency) ?? 2;
}

/** The smallest step in minor units: 100 where the two decimals are always 00, 10 where a third decimal is always 0. */
export function stepOf(currency: Currency): number {
  if (WHOLE.has(currency)) return 100;
  return decimalsOf(currency) === 3 ? 10 : 1;
}

function split(codes: string): string[] {
  return codes.split(' ');
}
