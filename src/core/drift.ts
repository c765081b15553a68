import type { SourceLocation } from './error.ts';
import type { Direction, Subject } from './extent.ts';

/** One way in which a profile or its key left what the lock file holds. */
export interface Drift {
  readonly kind: DriftKind;
  /** `fails`: the gate is shut; `warns`: narrower than locked; `note`: neither. */
  readonly weight: 'fails' | 'warns' | 'note';
  /** The permission, operation or fact that it is about. */
  readonly name: string;
  readonly message: string;
  /** The line of the profile that decides, else that of the lock file. */
  readonly location: SourceLocation;
}

export type DriftKind =
  | 'wider-key'
  | 'wider-profile'
  | 'new-widening'
  | 'not-verified'
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
      return 'fails';
    case 'narrower':
      return 'warns';
    case 'changed':
      return 'note';
  }
}
