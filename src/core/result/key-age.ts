import { DAY_MS } from '../duration.ts';
import type { Policy } from '../rules/policy.ts';
import type { Drift } from './drift.ts';

/** From this part of the age that the policy allows on, a key is to be rotated soon. */
const SOON = 0.8;

/** Whether a key is older than the policy allows, or soon will be; not knowing its age is no answer either. */
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
      message: `The age of this key is not known here, and the policy allows ${text}. Lock it where it is made, or verify it there.`,
      location,
    };
  }
  const ageMs = now.getTime() - Date.parse(key.createdAt);
  const days = Math.floor(ageMs / DAY_MS);
  if (ageMs < ms * SOON) return undefined;
  if (ageMs <= ms) {
    const last = new Date(Date.parse(key.createdAt) + ms).toISOString().slice(0, 10);
    return {
      kind: 'key-aging',
      weight: 'warns',
      name: 'maxKeyAge',
      message: `This key is ${days} days old, and the policy allows ${text}. Rotate it before ${last}.`,
      location,
    };
  }
  return {
    kind: 'key-too-old',
    weight: 'fails',
    name: 'maxKeyAge',
    message: `This key is ${days} days old (made ${key.createdAt.slice(0, 10)}), and the policy allows ${text}. Rotate it.`,
    location,
  };
}
