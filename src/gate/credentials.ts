/** The key that a request carries, or what it carries in place of one. */
export type Credentials = { readonly token: string } | 'missing' | 'publishable';

/**
 * The key in an `Authorization` header, by Bearer or Basic (the key as user name, no password).
 * @see https://docs.stripe.com/api/authentication
 */
export function credentialsIn(header: string | undefined): Credentials {
  const token = tokenIn(header);
  if (token === undefined) return 'missing';
  return token.startsWith('pk_') ? 'publishable' : { token };
}

function tokenIn(header: string | undefined): string | undefined {
  const [, scheme, value] = /^(bearer|basic)\s+(\S+)\s*$/i.exec(header ?? '') ?? [];
  if (value === undefined) return undefined;
  if (scheme?.toLowerCase() === 'bearer') return value;
  const user = Buffer.from(value, 'base64').toString('utf8').split(':', 1)[0];
  return user === '' ? undefined : user;
}
