import type { Catalog } from '../catalog/catalog.ts';
import type { SmallestGrant } from '../grant/smallest-grant.ts';
import { permissionLines } from './permission-lines.ts';
import { acceptStub, type ProfileDraft, profileText } from './profile-text.ts';
import { resolveDraft } from './resolve-draft.ts';

/**
 * The profile, as YAML, that grants exactly what a list of calls needs, with what has to be accepted as comments.
 * @param today YYYY-MM-DD
 */
export function profileOfCalls(
  grant: SmallestGrant,
  catalog: Catalog,
  { name, today }: { readonly name: string; readonly today: string },
): string {
  const allow = [...new Set(grant.endpoints.map(({ operation }) => operation))].sort();
  const draft: ProfileDraft = {
    name,
    comments: [
      `For ${allow.length === 1 ? 'one call' : `${allow.length} calls`}, and nothing besides.`,
      ...grant.unresolved.map(
        ({ endpoint, reason }) => `Left out: ${endpoint.replace(/\s+/g, ' ')}. ${reason}`,
      ),
    ],
    permissions: permissionLines(grant, allow, catalog),
    allow,
  };
  return `${profileText(draft)}${acceptStub(resolveDraft(draft, catalog, today).grant, catalog)}`;
}
