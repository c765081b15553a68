import type { DriftKind } from '../result/drift.ts';
import type { Direction, Subject } from './extent.ts';

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
