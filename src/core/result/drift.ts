import type { SourceLocation } from '../error.ts';

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

/** docs/errors.md has a heading for each. */
export const DRIFT_KINDS = [
  'wider-key',
  'wider-profile',
  'new-widening',
  'not-verified',
  'key-too-old',
  'key-aging',
  'key-age-unknown',
  'low-coverage',
  'narrower',
  'changed',
] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];

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
    case 'key-aging':
      return 'warns';
    case 'changed':
      return 'note';
  }
}
