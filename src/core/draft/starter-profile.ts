import { stringify } from 'yaml';
import { allows, type Catalog, isWrite, type Level } from '../catalog/catalog.ts';
import { KeyauditError } from '../error.ts';
import { type Grant, resolveGrant } from '../grant/grant.ts';
import { defaultVariable, type Profile } from '../profile/profile.ts';
import { readProfile } from '../profile/read-profile.ts';
import { resolveProfile } from '../profile/resolve-profile.ts';
import { coverageOf } from '../rules/coverage.ts';

/** What a new profile is to say. */
export interface StarterOptions {
  readonly name: string;
  readonly description: string;
  /** By default made from the name. */
  readonly env?: string;
  readonly permissions: readonly StarterPermission[];
  /** Where the schema lies, as seen from the profile. */
  readonly schema: string;
}

export interface StarterPermission {
  readonly name: string;
  readonly level: Level;
  readonly why?: string;
}

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
export function parseStarterPermission(text: string): StarterPermission {
  const [, name, level, why] = /^\s*([^=:\s]+)\s*[=:]\s*(\w+)\s*(?::\s*(.+))?$/.exec(text) ?? [];
  if (name === undefined || (level !== 'read' && level !== 'write')) {
    throw new KeyauditError('USAGE', `"${text}" names no resource with a level.`, {
      hint: 'Write RESOURCE=read or RESOURCE=write, such as charges=read.',
    });
  }
  return { name, level, ...(why === undefined ? {} : { why: why.trim() }) };
}

/**
 * The text of a new profile: what it asks for, checks that exercise all of it, and as comments the
 * widenings that somebody has to accept knowingly.
 * @throws KeyauditError `PROFILE_INVALID` for names that do not exist
 */
export function starterProfile(options: StarterOptions, catalog: Catalog, today: string): string {
  const head = stringify(
    {
      name: options.name,
      description: options.description,
      env: options.env ?? defaultVariable(options.name),
    },
    { lineWidth: 0 },
  );
  const permissions = options.permissions.map(({ name, level, why }) =>
    why === undefined
      ? `  ${name}: ${level}\n`
      : `  ${name}: ${stringify({ level, why }, { lineWidth: 0, collectionStyle: 'flow' })}`,
  );
  const body = `${head}permissions: # every resource not named is none\n${permissions.join('')}`;
  const { profile, grant } = resolved(body, options, catalog, today);
  const allow = coverageOf(profile, grant, catalog).permissions.flatMap(({ operations }) => {
    const own = operations.filter((name) => grant.asked.has(name));
    return own.slice(0, 1);
  });
  const forbid = WORTH_FORBIDDING.filter((name) => {
    const operation = catalog.operation(name);
    return operation !== undefined && !allows(grant.effective, operation);
  });
  return [
    `# yaml-language-server: $schema=${options.schema}\n`,
    body,
    checks(allow, forbid),
    toAccept(grant, catalog),
  ].join('');
}

function resolved(
  text: string,
  { name }: StarterOptions,
  catalog: Catalog,
  today: string,
): { profile: Profile; grant: Grant } {
  const reading = readProfile(text, `${name}.yaml`, catalog);
  if (!reading.ok) {
    throw new KeyauditError('PROFILE_INVALID', 'No profile can be made of this.', {
      problems: reading.problems.map(({ location: _, ...problem }) => problem),
    });
  }
  const profile = resolveProfile(reading.profile, () => undefined);
  const grant = resolveGrant(profile, catalog, today);
  if (grant.contradictions.length > 0) {
    throw new KeyauditError('PROFILE_INVALID', 'No key can be made for this.', {
      problems: grant.contradictions.map(({ location: _, ...problem }) => problem),
    });
  }
  return { profile, grant };
}

function checks(allow: readonly string[], forbid: readonly string[]): string {
  const list = (key: string, comment: string, names: readonly string[]) =>
    names.length === 0 ? '' : `  ${key}: # ${comment}\n${names.map((name) => `    - ${name}\n`).join('')}`;
  const text = `${list('allow', 'calls that must work', allow)}${list('forbid', 'calls that must be refused', forbid)}`;
  return text === '' ? '' : `checks:\n${text}`;
}

function toAccept({ widenings }: Grant, catalog: Catalog): string {
  const writing = widenings.flatMap(({ operations }) =>
    operations.filter((name) => {
      const operation = catalog.operation(name);
      return operation !== undefined && isWrite(operation);
    }),
  );
  if (writing.length === 0) return '';
  return `# Stripe cannot separate these writes from what is asked for above. Ask for less, or accept them by name:
# accept:
#   - operations:
${writing.map((name) => `#       - ${name}\n`).join('')}#     reason: Say why that is acceptable
`;
}
