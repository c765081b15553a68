import type { Problem } from '../error.ts';
import type { Profile } from '../profile/profile.ts';
import type { Drift } from './drift.ts';

/** The same as drift, for `verify`: the checks are less than was agreed. */
export function coverageDrift(problems: readonly Problem[], profile: Profile): readonly Drift[] {
  return problems.map(({ message, hint, location }) => ({
    kind: 'low-coverage',
    weight: 'fails',
    name: 'checks.allow',
    message: hint === undefined ? message : `${message} ${hint}`,
    location: location ?? profile.location,
  }));
}
