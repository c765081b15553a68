import type { RefusalDialect } from './refusal-dialect.ts';

/** What a 403 says, read off its message; the message itself is dropped. */
export interface Refusal {
  readonly dialect: RefusalDialect;
  /** Permissions that it names, without `rak_`. A hint, not the truth. */
  readonly named: readonly string[];
}

/**
 * Reads a 403's message and code. Undefined when the wording is none of Stripe's known ones: such an
 * answer proves nothing.
 * @see docs/observed.md
 */
export function readRefusal(message: string, code: string | undefined): Refusal | undefined {
  const text = message.replace(/\s+/g, ' ').trim();
  if (/does not have any Connect permissions/i.test(text)) return { dialect: 'f', named: [] };
  if (/does not have access to account/i.test(text)) return { dialect: 'g', named: [] };
  if (/Only Stripe Connect platforms can work with other accounts/i.test(text))
    return { dialect: 'h', named: [] };
  if (/^This application does not have the required permissions/i.test(text))
    return { dialect: 'i', named: [] };
  if (/required permissions are not available for use by restricted keys/i.test(text)) {
    return { dialect: 'd', named: [] };
  }
  if (
    /^Permission denied\. The provided key .*\b(?:permissions?|lacks)\b/i.test(text) ||
    code === 'more_permissions_required'
  ) {
    return { dialect: 'e', named: quotedNames(text) };
  }
  if (/does not have the required permissions for this endpoint/i.test(text)) {
    const named = quotedNames(text);
    return { dialect: named.length === 0 ? 'c' : named.length === 1 ? 'a' : 'b', named };
  }
  if (code === 'insufficient_permissions') return { dialect: 'guide', named: quotedNames(text) };
  return undefined;
}

/** Names in quotes that read like permissions; keys and accounts in quotes do not. */
function quotedNames(text: string): string[] {
  const names = [...text.matchAll(/'(?:rak_)?([a-z0-9]+(?:_[a-z0-9]+)*_(?:read|write))'/g)];
  return [...new Set(names.map((match) => match[1] ?? ''))];
}
