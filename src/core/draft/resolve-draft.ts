import type { Catalog } from '../catalog/catalog.ts';
import { KeyauditError, type Problem } from '../error.ts';
import { type Grant, resolveGrant } from '../grant/grant.ts';
import type { Profile } from '../profile/profile.ts';
import { readProfile } from '../profile/read-profile.ts';
import { resolveProfile } from '../profile/resolve-profile.ts';
import { type ProfileDraft, profileText } from './profile-text.ts';

/**
 * What the text of a draft comes to, read as any profile is.
 * @param today YYYY-MM-DD
 * @throws KeyauditError `PROFILE_INVALID` for names that do not exist, and for what no key can do
 */
export function resolveDraft(
  draft: ProfileDraft,
  catalog: Catalog,
  today: string,
): { readonly profile: Profile; readonly grant: Grant } {
  const reading = readProfile(profileText(draft), `${draft.name}.yaml`, catalog);
  if (!reading.ok) throw unusable('No profile can be made of this.', reading.problems);
  const profile = resolveProfile(reading.profile, () => undefined);
  const grant = resolveGrant(profile, catalog, today);
  if (grant.contradictions.length > 0) throw unusable('No key can be made for this.', grant.contradictions);
  return { profile, grant };
}

/** Without places: the text was never a file. */
function unusable(message: string, problems: readonly Problem[]): KeyauditError {
  return new KeyauditError('PROFILE_INVALID', message, {
    problems: problems.map(({ location: _, ...problem }) => problem),
  });
}
