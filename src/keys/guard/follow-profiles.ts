import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ProfileGrant, policyProblems, resolveGrants } from '../../session/profile-grant.ts';
import type { OpenSession } from '../../session/session.ts';
import { profileDigest } from '../../store/files/profile-digest.ts';
import { ProfileLibrary } from '../../store/profile-library.ts';

/** How often the files of the profiles are looked at, in ms. */
const LOOK_MS = 1_000;

export interface FollowOptions {
  readonly grants: readonly ProfileGrant[];
  /** Takes a profile that has changed. */
  readonly changed: (grant: ProfileGrant) => void;
  readonly alarm: (text: string) => void;
}

/**
 * Reads the profiles again when their files change. One that is wrong, or that the policy does not allow, changes
 * nothing but raises an alarm: what held before goes on holding.
 * @returns ends it
 */
export function followProfiles({ grants, changed, alarm }: FollowOptions, session: OpenSession): () => void {
  const known = new Map(grants.map(({ profile }) => [profile.name, profileDigest(profile)]));
  let seen: string | undefined;
  let isLooking = false;
  const look = async () => {
    const now = await stateOf(grants, session);
    // The first look reads as well: a file may have changed since it was read for the start.
    const isNew = now !== seen;
    seen = now;
    if (!isNew) return;
    for (const { profile: before } of grants) {
      const after = await readAgain(before.file, before.name, session);
      const digest = profileDigest(after.profile);
      if (after.profile.name !== before.name || known.get(before.name) === digest) continue;
      if (after.profile.guard === undefined)
        throw new Error(`${before.name} has no "guard" section any more`);
      known.set(before.name, digest);
      changed(after);
    }
  };
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look()
      .catch((error: unknown) =>
        alarm(
          `a profile was changed and cannot be taken: ${(error as Error).message} What held before holds on.`,
        ),
      )
      .finally(() => {
        isLooking = false;
      });
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}

async function readAgain(file: string, name: string, session: OpenSession): Promise<ProfileGrant> {
  const { cwd, project, packageRoot, catalog, now } = session;
  const library = new ProfileLibrary({
    cwd,
    ownDir: project.settings?.values.profiles,
    shippedDir: join(packageRoot, 'profiles'),
    catalog,
  });
  const found = await library.find(name).catch(() => undefined);
  const word = found?.file === file ? name : file;
  const [grant] = await resolveGrants({ profiles: [word] }, { library, catalog, now });
  if (grant === undefined) throw new Error(`${name} is gone.`);
  const policy = await session.policy();
  const broken = policy === undefined ? [] : policyProblems(policy, grant.profile, grant.grant, session);
  const [first] = broken;
  if (first !== undefined) throw new Error(first.message);
  return grant;
}

/** When the files were changed last: those of the profiles, and of all that they could be built from. */
async function stateOf(grants: readonly ProfileGrant[], { cwd }: OpenSession): Promise<string> {
  const files = new Set(grants.map(({ profile }) => resolve(cwd, profile.file)));
  for (const { profile } of grants) {
    for (const parent of profile.parents) files.add(resolve(cwd, 'profiles', `${parent}.yaml`));
  }
  const states = await Promise.all(
    [...files].map((file) =>
      stat(file).then(
        ({ mtimeMs, size }) => `${file} ${mtimeMs} ${size}`,
        () => `${file} gone`,
      ),
    ),
  );
  return states.join('\n');
}
