import type { BeyondSdk } from '../core/catalog/beyond-sdk.ts';
import type { Catalog } from '../core/catalog/catalog.ts';
import { VersionViews } from '../gate/version-view.ts';
import { Control } from './admin/control.ts';
import { CallsOnTheirWay } from './call/calls-on-their-way.ts';
import { KnownKeys } from './call/known-keys.ts';
import { Turns } from './call/turns.ts';
import { GuardServer } from './guard-server.ts';
import type { Served } from './served.ts';
import { ServedProfiles } from './served-profiles.ts';
import type { SpendStore } from './spend-store.ts';

export interface GuardOptions {
  readonly catalog: Catalog;
  /** Knows fields whose expansion takes a permission of its own. */
  readonly beyondSdk: BeyondSdk;
  readonly store: SpendStore;
  readonly served: readonly Served[];
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** In ms since 1970. */
  readonly now: () => number;
  readonly alarm: (text: string) => void;
  /** Where docs/guard.md of this version can be read. */
  readonly docs: string;
}

/** A guard that serves. */
export interface Guard {
  readonly url: string;
  readonly control: Control;
  readonly profiles: ServedProfiles;
  readonly onTheirWay: CallsOnTheirWay;
  readonly store: SpendStore;
  /** Requests whose key nobody knows, so far. */
  strangers(): number;
  /** Nothing new is let in; resolved when what goes on has ended, or time is up. @returns whether all has ended */
  drain(timeoutMs: number): Promise<boolean>;
  /** Cuts every connection. The store is the caller's to close. */
  close(): Promise<void>;
}

/** Starts to serve. @throws KeyauditError `PORT_TAKEN` */
export async function startGuard(options: GuardOptions): Promise<Guard> {
  const { catalog, beyondSdk, store, alarm, docs } = options;
  // Time as it is counted never goes back; a clock that does is refused to count by.
  let last = store.book.lastTime;
  const now = () => {
    last = Math.max(last, options.now());
    return last;
  };
  const policies = Object.fromEntries(options.served.map(({ profile, digest }) => [profile.name, digest]));
  await store.happen({ kind: 'start', policies }, now());
  holdWhatWasOpen(store, now());
  const profiles = new ServedProfiles(options.served);
  const onTheirWay = new CallsOnTheirWay();
  const server = new GuardServer({
    store,
    keys: new KnownKeys(),
    turns: new Turns(),
    onTheirWay,
    now,
    clock: options.now,
    alarm,
    views: new VersionViews(catalog, beyondSdk, { hasBeyondCalls: false }),
    profiles,
    docs,
  });
  const url = await server.listen(options.host, options.port);
  return {
    url,
    control: new Control({ store, profiles, onTheirWay, now }),
    profiles,
    onTheirWay,
    store,
    strangers: () => server.strangers,
    drain: (timeoutMs) => {
      server.drain();
      return onTheirWay.idle(timeoutMs);
    },
    close: () => server.close(),
  };
}

/** What was open when the last guard ended is held: nobody knows what became of it. @param at in ms since 1970 */
export function holdWhatWasOpen(store: SpendStore, at: number): void {
  for (const { event } of store.book.open.values()) {
    // What was held before as well: its agent may have tried again right before the end.
    const { reservation, run, operation } = event;
    const why = 'the guard ended before its outcome was known';
    store.settle({ kind: 'hold', reservation, run, operation, why }, at);
  }
}
