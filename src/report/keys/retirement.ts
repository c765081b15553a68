import { dayAndTime } from '../text.ts';

/** How a key ended; times are from the request on, in ms. */
export interface Retirement {
  readonly id: string;
  readonly alreadyGone: boolean;
  /** When the first probe was refused for want of permission, or the key found dead. */
  readonly narrowedMs?: number;
  /** When a probe found the key dead. */
  readonly deadMs?: number;
  /** Why it was not watched to its end. */
  readonly unwatched?: 'no-secret' | 'not-asked' | 'not-found' | 'timeout' | 'interrupted';
  /** Of a key that is not ended yet, since its time of grace was interrupted: until when it works. ISO 8601, in UTC */
  readonly worksUntil?: string;
  /** Of a key that a person must delete in the Dashboard: what it is called, and where. */
  readonly byHand?: { readonly name: string; readonly url: string };
}

/** How a key ended, in words. */
export function describeRetirement(retirement: Retirement): string {
  const { alreadyGone, narrowedMs, deadMs, unwatched, byHand } = retirement;
  if (alreadyGone) return 'was gone already.';
  if (byHand !== undefined) return describeByHand(byHand, retirement);
  if (retirement.worksUntil !== undefined) {
    return `works on: its time of grace was interrupted. The first "keyaudit keys clean-up", or other command that makes or ends keys here, after ${dayAndTime(retirement.worksUntil)} ends it.`;
  }
  const narrowed = narrowedMs === undefined ? '' : `could do nothing after ${seconds(narrowedMs)}`;
  if (deadMs !== undefined) return `${narrowed} and was dead after ${seconds(deadMs)}.`;
  const besides = narrowed === '' ? '' : ` It ${narrowed}.`;
  switch (unwatched) {
    case 'timeout':
      return `is narrowed and expired, but still answered when the time was up.${besides} Look again with "keyaudit revoke ${retirement.id}".`;
    case 'interrupted':
      return `is narrowed and expired; the watch was interrupted before it was seen dead.${besides}`;
    case 'not-found':
      return 'is not known to this secret key, and no probe showed it dead: it may live in another account. Its record and its secret stay.';
    case 'no-secret':
      return 'is narrowed and expired. Its secret is not at hand, so no probe could see it dead; where its variable holds it, one can.';
    default:
      return narrowed === ''
        ? 'is narrowed and expired; it may work for seconds to minutes more.'
        : `is narrowed and expired: it ${narrowed}. --wait watches until it is dead.`;
  }
}

function describeByHand(
  { name, url }: NonNullable<Retirement['byHand']>,
  { deadMs, unwatched }: Retirement,
): string {
  if (deadMs !== undefined) return `was deleted by hand: dead after ${seconds(deadMs)}.`;
  const still: Readonly<Record<string, string>> = {
    timeout: ' It still answered when the time was up.',
    interrupted: ' The watch was interrupted while it still answered.',
    'no-secret': ' Its secret is not at hand, so no probe could see it dead.',
  };
  return `was made in the Dashboard, where it must be deleted: "${name}" at ${url}.${still[unwatched ?? ''] ?? ''}`;
}

/** `1.2 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
