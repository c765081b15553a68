import type { LastUse, PermissionLastUse, UseWitness } from '../../../core/draft/runs/last-use.ts';
import { counted } from '../../text.ts';

const WITNESS_WORDS: Readonly<Record<UseWitness, string>> = {
  recordings: 'recorded',
  'guard-log': "in the guard's log",
};

/** `9 runs, recorded, 2026-11-01 to 2026-11-24`: what this is known from. */
export function lastUseWitness({ runs, witnesses, from, to }: Omit<LastUse, 'permissions'>): string {
  const days = from.slice(0, 10) === to.slice(0, 10) ? day(from) : `${day(from)} to ${day(to)}`;
  return `${counted(runs, 'run')}, ${witnesses.map((one) => WITNESS_WORDS[one]).join(' and ')}, ${days}`;
}

/** What those runs did not see, a sentence each; empty where they saw all. */
export function lastUseUnseen({ unseen }: Pick<LastUse, 'unseen'>): string {
  return unseen.map((sentence) => ` Not seen: ${sentence}`).join('');
}

/** `customer_read` or, for calls with `Stripe-Account`, `customer_read (Connect)`. */
export function lastUseName({ permission, connect }: PermissionLastUse): string {
  return connect ? `${permission} (Connect)` : permission;
}

/** `7 of 9 runs, last 2026-11-24`, or `never used in 9 runs`. */
export function lastUseText(use: PermissionLastUse): string {
  const { state, runs, had, enough, lastUsed } = use;
  if (lastUsed !== null) {
    const lesser = enough === undefined ? '' : ` (${enough} would have been enough)`;
    return `${runs} of ${counted(had, 'run')}, last ${day(lastUsed)}${lesser}`;
  }
  if (had === 0) return 'no run had it yet';
  const since = state === 'new' ? ' since it was granted' : '';
  const doubt = state === 'unknown' ? '; whether all of them had it is not known' : '';
  return `never used in ${counted(had, 'run')}${since}${doubt}`;
}

function day(time: string): string {
  return time.slice(0, 10);
}
