import { allows, type Catalog } from '../catalog/catalog.ts';
import { KeyauditError } from '../error.ts';
import { sideOf } from '../grant/grant.ts';
import { coverageOf } from '../rules/coverage.ts';
import { acceptStub, type DraftPermission, type ProfileDraft, profileText } from './profile-text.ts';
import { resolveDraft } from './resolve-draft.ts';

/** What a starter says; its checks are made from its grant. */
export type StarterOptions = Omit<ProfileDraft, 'allow' | 'forbid' | 'comments' | 'connectPermissions'>;

/** Calls that an agent had better not be able to make; those that the grant refuses are named as checks. */
const WORTH_FORBIDDING = [
  'payouts.create',
  'refunds.create',
  'charges.create',
  'customers.del',
  'webhookEndpoints.create',
];

/**
 * `charges=read` or `charges=read: Look up charges`.
 * @throws KeyauditError `USAGE`
 */
export function parseStarterPermission(text: string): DraftPermission {
  const [, name, level, why] = /^\s*([^=:\s]+)\s*[=:]\s*(\w+)\s*(?::\s*(.+))?$/.exec(text) ?? [];
  if (name === undefined || (level !== 'read' && level !== 'write')) {
    throw new KeyauditError('USAGE', `"${text}" names no resource with a level.`, {
      hint: 'Write RESOURCE=read or RESOURCE=write, such as charges=read.',
    });
  }
  return { name, level, why: why?.trim() };
}

/**
 * The text of a new profile: what it asks for, checks that exercise all of it, and as comments the
 * widenings that somebody has to accept knowingly.
 * @throws KeyauditError `PROFILE_INVALID` for names that do not exist
 */
export function starterProfile(options: StarterOptions, catalog: Catalog, today: string): string {
  const { profile, grant } = resolveDraft(options, catalog, today);
  const allow = coverageOf(profile, grant, catalog).permissions.flatMap(({ operations, connect }) => {
    const own = operations.filter((name) => sideOf(grant, connect).asked.has(name));
    return own.slice(0, 1);
  });
  const forbid = WORTH_FORBIDDING.filter((name) => {
    const operation = catalog.operation(name);
    return operation !== undefined && !allows(grant.effective, operation);
  });
  return `${profileText({ ...options, allow, forbid })}${acceptStub(grant, catalog)}`;
}
