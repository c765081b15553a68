/** The connected account that a platform acts for: what this command names, else what the key's record does. */
export function accountFor(
  options: { readonly account?: string | undefined },
  record?: { readonly account?: string | undefined },
): { readonly account: string | undefined } {
  return { account: options.account ?? record?.account };
}
