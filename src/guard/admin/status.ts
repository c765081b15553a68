import { durationText } from '../../core/duration.ts';
import type { GuardStatus } from '../../core/spend/guard-status.ts';
import type { CallsOnTheirWay } from '../call/calls-on-their-way.ts';
import type { ServedProfiles } from '../served-profiles.ts';
import type { SpendStore } from '../spend-store.ts';

interface StatusParts {
  readonly url: string;
  readonly store: SpendStore;
  readonly profiles: ServedProfiles;
  readonly onTheirWay: CallsOnTheirWay;
  readonly strangers: () => number;
  readonly now: () => number;
}

/** Runs that are over are shown no longer than this after their end, in ms. */
const SHOWN_MS = 24 * 3_600_000;

/** How a guard stands now. */
export function statusOf({ url, store, profiles, onTheirWay, strangers, now }: StatusParts): GuardStatus {
  const { book, failure } = store;
  const { runs } = book;
  const iso = (at: number) => new Date(at).toISOString();
  return {
    url,
    epoch: runs.epoch,
    killed: runs.killed,
    failure: failure === undefined ? undefined : String((failure as Error).message ?? failure),
    strangers: strangers(),
    onTheirWay: onTheirWay.size,
    profiles: profiles.all().map(({ profile, mode, guard, digest }) => ({
      profile: profile.name,
      mode,
      variable: profile.env,
      ttl: durationText(guard.ttlMs),
      digest,
    })),
    runs: runs
      .all()
      .filter(({ expiresAt }) => expiresAt > now() - SHOWN_MS)
      .map(({ id, profile, issuedAt, expiresAt, labels }) => ({
        run: id,
        profile,
        state: runs.stateOf(id, now()),
        issuedAt: iso(issuedAt),
        expiresAt: iso(expiresAt),
        labels,
      })),
    held: [...book.open.values()]
      .filter(({ state }) => state === 'held')
      .map(({ event, at }) => ({
        reservation: event.reservation,
        run: event.run,
        operation: event.operation ?? event.method,
        amount: event.amount,
        currency: event.currency,
        since: iso(at),
      })),
    pending: book.pending.size,
    counters: Object.fromEntries(book.counters()),
  };
}
