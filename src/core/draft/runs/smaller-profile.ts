import {
  allows,
  type Catalog,
  isWrite,
  type Level,
  type Operation,
  type PermissionName,
} from '../../catalog/catalog.ts';
import { permissionsAt } from '../../catalog/levels.ts';
import type { SourceLocation } from '../../error.ts';
import type { PermissionEntry } from '../../profile/profile.ts';
import type { PermissionUse } from './unused-permissions.ts';

/** A line of a profile that can ask for less. */
export interface SmallerLine {
  readonly name: string;
  readonly from: Level;
  readonly to: Level;
  readonly location: SourceLocation;
}

/**
 * Which lines can be lowered or dropped so that nothing goes but what is unused: whatever was called stays allowed,
 * and so does each permission of which nothing is known.
 */
export function smallerLines(
  entries: readonly PermissionEntry[],
  uses: readonly PermissionUse[],
  catalog: Catalog,
): readonly SmallerLine[] {
  const keep = uses.filter(({ state }) => state === 'new' || state === 'unknown');
  const operations = uses.flatMap((use) => use.operations.flatMap((name) => catalog.operation(name) ?? []));
  const isEnough = (levels: readonly Level[]) => {
    const effective = catalog.closure(
      entries.flatMap((entry, index) => permissionsOf(entry, levels[index] ?? 'none', catalog)),
    );
    return (
      keep.every(({ permission }) => effective.has(permission)) &&
      operations.every((operation) => allows(effective, operation))
    );
  };
  const levels = entries.map(({ level }) => level);
  for (const [index, entry] of entries.entries()) {
    const lower = lowerLevels(entry, operations);
    const found = lower.find((one) => isEnough(levels.with(index, one)));
    if (found !== undefined) levels[index] = found;
  }
  return entries.flatMap(({ name, level, location }, index) => {
    const to = levels[index] ?? level;
    return to === level ? [] : [{ name, from: level, to, location }];
  });
}

/** What a line could ask for instead: nothing that was called under its own name becomes a widening of another line. */
function lowerLevels(
  { name, level, raw }: PermissionEntry,
  operations: readonly Operation[],
): readonly Level[] {
  const own = raw ? [] : operations.filter(({ resource }) => resource === name);
  if (level === 'none' || own.some(isWrite)) return [];
  if (level === 'read' || raw) return own.length > 0 ? [] : ['none'];
  return own.length > 0 ? ['read'] : ['none', 'read'];
}

function permissionsOf(
  { name, raw }: PermissionEntry,
  level: Level,
  catalog: Catalog,
): readonly PermissionName[] {
  if (level === 'none') return [];
  return raw ? [name] : permissionsAt(name, level, catalog);
}
