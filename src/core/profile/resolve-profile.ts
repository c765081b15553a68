import { KeyauditError, type Problem } from '../error.ts';
import { guardSection } from './guard-section.ts';
import { defaultVariable, type PermissionEntry, type Profile, type ProfileFile } from './profile.ts';

/** Finds the profile that `extends: name` means, as seen from `from`; undefined when there is none. */
export type FindParent = (name: string, from: ProfileFile) => ProfileFile | undefined;

/**
 * Follows `extends` and merges: parents in the order written, then the file itself. A level given
 * later replaces an earlier one (`none` takes it away), checks and acceptances add up, and a check
 * that the child names on the other side replaces the parent's.
 * @throws KeyauditError `PROFILE_INVALID` for an unknown parent or a cycle, with the cycle shown.
 */
export function resolveProfile(file: ProfileFile, findParent: FindParent): Profile {
  const lineage = flatten(file, findParent, []);
  const merged = lineage.reduce<Layer>((base, layer) => merge(base, layer), emptyLayer);
  const sections = lineage.flatMap(({ guard }) => guard ?? []);
  return {
    file: file.file,
    name: file.name,
    location: file.location,
    description: merged.description,
    env: file.env ?? defaultVariable(file.name),
    parents: lineage
      .slice(0, -1)
      .map((parent) => parent.name)
      .reverse(),
    permissions: merged.permissions.filter((entry) => entry.level !== 'none'),
    connectPermissions: merged.connectPermissions.filter((entry) => entry.level !== 'none'),
    allow: merged.allow,
    forbid: merged.forbid,
    accept: merged.accept,
    widening: merged.widening ?? 'report',
    only: merged.only ?? false,
    rate: merged.rate,
    guard: sections.length === 0 ? undefined : guardSection(sections),
  };
}

type Layer = Pick<
  ProfileFile,
  | 'description'
  | 'permissions'
  | 'connectPermissions'
  | 'allow'
  | 'forbid'
  | 'accept'
  | 'widening'
  | 'only'
  | 'rate'
>;

const emptyLayer: Layer = { permissions: [], connectPermissions: [], allow: [], forbid: [], accept: [] };

function merge(base: Layer, layer: Layer): Layer {
  const named = new Set([...layer.allow, ...layer.forbid].map((check) => check.operation));
  const kept = <T extends { operation: string }>(checks: readonly T[]) =>
    checks.filter((check) => !named.has(check.operation));
  return {
    ...base,
    ...definedOf(layer),
    permissions: mergeEntries(base.permissions, layer.permissions),
    connectPermissions: mergeEntries(base.connectPermissions, layer.connectPermissions),
    allow: [...kept(base.allow), ...layer.allow],
    forbid: [...kept(base.forbid), ...layer.forbid],
    accept: [...base.accept, ...layer.accept],
  };
}

function definedOf(layer: Layer): Partial<Layer> {
  const { description, widening, only, rate } = layer;
  return Object.fromEntries(
    Object.entries({ description, widening, only, rate }).filter(([, value]) => value !== undefined),
  );
}

function mergeEntries(
  base: readonly PermissionEntry[],
  layer: readonly PermissionEntry[],
): PermissionEntry[] {
  const byName = new Map(base.map((entry) => [entry.name, entry]));
  for (const entry of layer) {
    byName.delete(entry.name);
    byName.set(entry.name, entry);
  }
  return [...byName.values()];
}

/** The files that make up a profile, parents first, each once. */
function flatten(file: ProfileFile, findParent: FindParent, above: readonly ProfileFile[]): ProfileFile[] {
  const chain = [...above, file];
  const lineage: ProfileFile[] = [];
  for (const { name, location } of file.extends) {
    const parent = findParent(name, file);
    if (parent === undefined) {
      throw invalid({
        message: `The profile "${name}" that ${file.name} extends does not exist.`,
        location,
        hint: 'Name a profile in ./profiles, a shipped one, or a path. See "keyaudit profiles list".',
      });
    }
    if (chain.some((ancestor) => ancestor.file === parent.file)) {
      const start = chain.findIndex((ancestor) => ancestor.file === parent.file);
      const cycle = [...chain.slice(start), parent].map((member) => member.name).join(' → ');
      throw invalid({
        message: `The profile extends itself: ${cycle}.`,
        location,
        hint: 'Take one "extends" of this cycle away.',
      });
    }
    for (const ancestor of flatten(parent, findParent, chain)) {
      if (!lineage.some((known) => known.file === ancestor.file)) lineage.push(ancestor);
    }
  }
  return [...lineage, file];
}

function invalid(problem: Problem): KeyauditError {
  return new KeyauditError('PROFILE_INVALID', 'The profile is not valid.', { problems: [problem] });
}
