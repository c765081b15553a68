import type { Catalog } from '../catalog/catalog.ts';
import { type Change, compareExtents, DIRECTIONS, type Direction, type Extent } from './extent.ts';

/** What a side of a diff was read from. */
export type SideKind = 'profile' | 'profiles' | 'revision' | 'lock' | 'verify';

/** One side of a diff: how far each of its profiles reaches. */
export interface Side {
  readonly kind: SideKind;
  /** As the user named it. */
  readonly name: string;
  readonly extents: ReadonlyMap<string, Extent>;
}

/** What is different in one profile, what matters most first. */
export interface ProfileDiff {
  readonly profile: string;
  readonly changes: readonly Change[];
}

/**
 * What is different in `after`. Two single profiles are compared whatever their names; a profile held
 * against a lock file or report is compared with its namesake there; else all, by name.
 */
export function diffSides(before: Side, after: Side, catalog: Catalog): readonly ProfileDiff[] {
  const [one, other] = [[...before.extents], [...after.extents]];
  if (before.kind === 'profile' && after.kind === 'profile') {
    const [a, b] = [one[0], other[0]];
    if (a === undefined || b === undefined) return [];
    return [
      { profile: a[0] === b[0] ? b[0] : `${a[0]} → ${b[0]}`, changes: compareExtents(a[1], b[1], catalog) },
    ];
  }
  const names = [...new Set([...before.extents.keys(), ...after.extents.keys()])].sort();
  const partial = before.kind === 'profile' || after.kind === 'profile';
  return names.flatMap((profile) => {
    const [a, b] = [before.extents.get(profile), after.extents.get(profile)];
    if (a !== undefined && b !== undefined) {
      return [{ profile, changes: compareExtents(a, b, catalog) }];
    }
    return partial ? [] : [{ profile, changes: [present(profile, b)] }];
  });
}

/** A profile that stands on one side only. */
function present(name: string, after: Extent | undefined): Change {
  return after === undefined
    ? { direction: 'narrower', subject: 'profile', name, message: 'The profile is gone.' }
    : {
        direction: 'wider',
        subject: 'profile',
        name,
        message: `The profile is new: ${after.permissions.join(', ')}.`,
      };
}

/** How many changes there are of each direction. */
export function countChanges(diffs: readonly ProfileDiff[]): Readonly<Record<Direction, number>> {
  const all = diffs.flatMap(({ changes }) => changes);
  const count = (direction: Direction) => all.filter((change) => change.direction === direction).length;
  return Object.fromEntries(DIRECTIONS.map((direction) => [direction, count(direction)])) as Record<
    Direction,
    number
  >;
}
