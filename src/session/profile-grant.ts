import type { Catalog } from '../core/catalog/catalog.ts';
import { KeyauditError, type Problem } from '../core/error.ts';
import { type Grant, resolveGrant } from '../core/grant/grant.ts';
import type { Profile } from '../core/profile/profile.ts';
import { checkPolicy, type Policy } from '../core/rules/policy.ts';
import { invalidProfile } from '../store/profile-library.ts';
import { today } from './context.ts';
import type { Session } from './session.ts';

/** A profile with the grant that it resolves to. */
export interface ProfileGrant {
  readonly profile: Profile;
  readonly grant: Grant;
}

/** Which profiles a command is about. */
export interface NamedProfiles {
  readonly profiles: readonly string[];
  /** Every profile of the user's own. */
  readonly all?: boolean;
  /** With `all`: those that ship, instead. */
  readonly examples?: boolean;
}

/**
 * The named profiles (each once), or all of them, with their grants, as the policy allows them.
 * @throws KeyauditError for no name, an unknown or wrong profile, one that no key can satisfy, or one
 * that breaks the policy
 */
export async function grantsFor(named: NamedProfiles, session: Session): Promise<readonly ProfileGrant[]> {
  const grants = await resolveGrants(named, session);
  await requireAllowed(grants, session);
  return grants;
}

/** @throws KeyauditError `POLICY_BROKEN` with every line that the policy does not allow */
export async function requireAllowed(grants: readonly ProfileGrant[], session: Session): Promise<void> {
  const policy = await session.policy();
  if (policy === undefined) return;
  const problems = grants.flatMap(({ profile, grant }) => policyProblems(policy, profile, grant, session));
  if (problems.length === 0) return;
  const count = problems.length === 1 ? 'a line' : `${problems.length} lines`;
  throw new KeyauditError('POLICY_BROKEN', `The policy ${policy.file} is broken by ${count}.`, { problems });
}

/** Where a profile breaks the policy today. */
export function policyProblems(
  policy: Policy,
  profile: Profile,
  grant: Grant,
  session: Pick<Session, 'now' | 'catalog'>,
): readonly Problem[] {
  return checkPolicy(policy, profile, grant, { catalog: session.catalog, today: today(session) });
}

/** The same, whatever the policy says: to look at profiles, not to use them. */
export async function resolveGrants(
  { profiles: names, all, examples }: NamedProfiles,
  { library, catalog, now }: Pick<Session, 'library' | 'catalog' | 'now'>,
): Promise<readonly ProfileGrant[]> {
  if (all === true && names.length > 0) {
    throw new KeyauditError('USAGE', 'Name profiles or say --all, not both.');
  }
  if (all !== true && names.length === 0) {
    throw new KeyauditError('USAGE', 'No profile named.', {
      hint: 'Name one ("keyaudit profiles list" shows them), or say --all.',
    });
  }
  const profiles: Profile[] = [];
  if (all === true) profiles.push(...(await library.all({ examples })));
  else for (const name of new Set(names)) profiles.push(await library.profile(name));
  return profiles.map((profile) => ({ profile, grant: satisfiableGrant(profile, catalog, today({ now })) }));
}

/** @throws KeyauditError `PROFILE_INVALID` when no key can satisfy the profile */
export function satisfiableGrant(profile: Profile, catalog: Catalog, day: string): Grant {
  const grant = resolveGrant(profile, catalog, day);
  if (grant.contradictions.length > 0) throw invalidProfile(profile.file, grant.contradictions);
  return grant;
}
