import type { Catalog } from '../../catalog/catalog.ts';
import { permissionsAt } from '../../catalog/levels.ts';

/** A name from a key link that is no permission: what it is, and what to write instead. */
export interface ScopeAdvice {
  readonly message: string;
  readonly hint: string;
}

/**
 * What is to be said of a `rak_…` name that Stripe has no permission for: those of groups of rows, which only links
 * take, and those that people make of a resource's name.
 * @returns undefined for any other name
 */
export function scopeAdvice(text: string, catalog: Catalog): ScopeAdvice | undefined {
  const bucket = /^rak_bucket_(\w+?)_(read|write)$/.exec(text);
  if (bucket !== null) {
    return {
      message: `"${text}" is a group of rows in a link to the Dashboard, and no permission.`,
      hint: `Name what the agent needs of it: "keyaudit resources ${bucket[1]}" lists the resources.`,
    };
  }
  const scope = /^rak_(\w+?)_(read|write)$/.exec(text);
  if (scope === null || catalog.permissionByAnyName(text) !== undefined) return undefined;
  const [, base = '', level = ''] = scope;
  const resource = catalog.resources.find((name) => singular(name) === singular(base));
  const message = `"${text}" is no permission of Stripe's.`;
  if (resource === undefined) {
    return {
      message,
      hint: `"keyaudit resources ${base.split('_')[0]}" lists the resources with that word.`,
    };
  }
  const names = permissionsAt(resource, level === 'read' ? 'read' : 'write', catalog);
  const which = names.length === 0 ? 'no permission is known for it' : `it comes with ${names.join(', ')}`;
  return { message, hint: `Write "${resource}: ${level}"; ${which}.` };
}

/** `invoiceitem` and `invoice_items` are one. */
function singular(name: string): string {
  return name
    .replace(/[_/]/g, '')
    .replace(/ies$/, 'y')
    .replace(/(?<!s)s$/, '');
}
