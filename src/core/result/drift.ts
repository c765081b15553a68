import type { SourceLocation } from '../error.ts';
import type { Direction, Subject } from '../lock/extent.ts';

/** One way in which a profile or its key left what was agreed: the lock file, the policy on its age, or `--min-coverage`. */
export interface Drift {
  readonly kind: DriftKind;
  /** `fails`: the gate is shut; `unknown`: nobody can tell; `warns`: narrower than locked; `note`: none of these. */
  readonly weight: 'fails' | 'unknown' | 'warns' | 'note';
  /** The permission, operation or fact that it is about. */
  readonly name: string;
  readonly message: string;
  /** The line of the profile that decides, else that of the lock file or the policy. */
  readonly location: SourceLocation;
}

export type DriftKind =
  | 'wider-key'
  | 'wider-profile'
  | 'new-widening'
  | 'not-verified'
  | 'key-too-old'
  | 'key-age-unknown'
  | 'low-coverage'
  | 'narrower'
  | 'changed';

/** The kind of drift that a change from the lock file is. */
export function driftKind(direction: Direction, subject: Subject): DriftKind {
  switch (direction) {
    case 'wider':
      if (subject === 'operation') return 'wider-key';
      return subject === 'widening' ? 'new-widening' : 'wider-profile';
    case 'unverified':
      return 'not-verified';
    case 'narrower':
    case 'changed':
      return direction;
  }
}

/** Whether it shuts the gate. */
export function driftWeight(kind: DriftKind): Drift['weight'] {
  switch (kind) {
    case 'wider-key':
    case 'wider-profile':
    case 'new-widening':
    case 'not-verified':
    case 'key-too-old':
    case 'low-coverage':
      return 'fails';
    case 'key-age-unknown':
      return 'unknown';
    case 'narrower':
      return 'warns';
    case 'changed':
      return 'note';
  }
}
