import { join } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import { KeyauditError } from '../core/error.ts';
import { type Grant, resolveGrant } from '../core/grant.ts';
import type { Profile } from '../core/profile.ts';
import { invalidProfile, ProfileLibrary } from '../store/profile-library.ts';
import { type CommandContext, today } from './context.ts';
import { loadCatalog } from './load-catalog.ts';

/** A profile with the grant that it resolves to. */
export interface ProfileGrant {
  readonly profile: Profile;
  readonly grant: Grant;
}

/** The profiles that can be named from the working folder. */
export function openLibrary(context: CommandContext, catalog: Catalog = loadCatalog()): ProfileLibrary {
  return new ProfileLibrary({ cwd: context.cwd, shippedDir: join(context.packageRoot, 'profiles'), catalog });
}

/**
 * The named profiles (each once), or all of them, with their grants.
 * @throws KeyauditError for no name, an unknown or wrong profile, or one that no key can satisfy
 */
export async function grantsFor(
  { profiles: names, all }: { readonly profiles: readonly string[]; readonly all?: boolean },
  context: CommandContext,
): Promise<readonly ProfileGrant[]> {
  const catalog = loadCatalog();
  const library = openLibrary(context, catalog);
  if (all === true && names.length > 0) {
    throw new KeyauditError('USAGE', 'Name profiles or say --all, not both.');
  }
  if (all !== true && names.length === 0) {
    throw new KeyauditError('USAGE', 'No profile named.', {
      hint: 'Name one ("keyaudit profiles list" shows them), or say --all.',
    });
  }
  const profiles: Profile[] = [];
  if (all === true) profiles.push(...(await library.all()));
  else for (const name of new Set(names)) profiles.push(await library.profile(name));
  return profiles.map((profile) => ({ profile, grant: satisfiableGrant(profile, catalog, today(context)) }));
}

/** @throws KeyauditError `PROFILE_INVALID` when no key can satisfy the profile */
export function satisfiableGrant(profile: Profile, catalog: Catalog, day: string): Grant {
  const grant = resolveGrant(profile, catalog, day);
  if (grant.contradictions.length > 0) throw invalidProfile(profile.file, grant.contradictions);
  return grant;
}
