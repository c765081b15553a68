import { DAY_MS } from '../duration.ts';
import type { Policy } from '../rules/policy.ts';
import type { Drift } from './drift.ts';

/** Whether a key is older than the policy allows; not knowing its age is no answer either. */
export function checkKeyAge(
  { maxKeyAge }: Policy,
  key: { readonly createdAt: string | null },
  now: Date,
): Drift | undefined {
  if (maxKeyAge === undefined) return undefined;
  const { text, ms, location } = maxKeyAge;
  if (key.createdAt === null) {
    return {
      kind: 'key-age-unknown',
      weight: 'unknown',
      name: 'maxKeyAge',
      message: `The age of this key is not known here, and the policy allows ${text}. Lock it where it is made ("keyaudit lock"), or verify it there.`,
      location,
    };
  }
  const days = Math.floor((now.getTime() - Date.parse(key.createdAt)) / DAY_MS);
  if (now.getTime() - Date.parse(key.createdAt) <= ms) return undefined;
  return {
    kind: 'key-too-old',
    weight: 'fails',
    name: 'maxKeyAge',
    message: `This key is ${days} days old (made ${key.createdAt.slice(0, 10)}), and the policy allows ${text}. Rotate it.`,
    location,
  };
}
