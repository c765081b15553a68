import { setTimeout as delay } from 'node:timers/promises';
import { allows, isWrite, type Operation, type PermissionName } from '../../core/catalog/catalog.ts';
import type { Probe } from '../../core/probe/probe.ts';
import type { SecretKey } from '../../core/secret-key.ts';
import type { VerdictKind } from '../../core/verdict/verdict.ts';
import { type Retirement, seconds } from '../../report/keys/retirement.ts';
import type { OpenSession } from '../../session/session.ts';
import type { KeyRecord } from '../../store/notes/key-records.ts';
import { askConnectedAccount } from '../../stripe/ask-accounts.ts';
import type { KeyApi, KeySummary } from '../../stripe/key-apis/key-api.ts';
import { sendProbes } from '../../stripe/send-probes.ts';

/**
 * What a key is narrowed to before it expires: names and prices of shipping, which are shown to every
 * buyer. Stripe ignores an empty list of permissions. @see docs/observed.md
 */
export const HARMLESS_PERMISSION: PermissionName = 'shipping_rate_read';

/**
 * Narrow, on the Connect side too, which bites within about a second, then expire, which may take minutes. A key that
 * is not found may live in another account: that is no death.
 */
export async function endKey(api: KeyApi, id: string): Promise<'ended' | 'expired-before' | 'not-found'> {
  const known = await api.retrieve(id);
  if (known === undefined) return 'not-found';
  if (known.status === 'expired') return 'expired-before';
  const connect = known.connectPermissions.length === 0 ? [] : [HARMLESS_PERMISSION];
  await api.narrow(id, [HARMLESS_PERMISSION], connect);
  await api.expire(id);
  return 'ended';
}

/**
 * Ends every key of this name; names are unique, so that is one at most.
 * @returns the ids of all that were found, ended just now or before
 */
export async function endKeysNamed(api: KeyApi, name: string): Promise<readonly string[]> {
  const found: KeySummary[] = [];
  for await (const key of api.list()) if (key.name === name) found.push(key);
  for (const { id, status } of found) if (status === 'active') await endKey(api, id);
  return found.map(({ id }) => id);
}

export interface RetireOptions {
  readonly id: string;
  readonly permissions: readonly PermissionName[];
  readonly connectPermissions: readonly PermissionName[];
  /** Without it no probe can tell when the key is dead. */
  readonly secret?: SecretKey;
  /** A probe has shown its end before, as its record says. */
  readonly wasProved?: boolean;
  readonly watchUntil: 'dead' | 'narrowed' | 'not-at-all';
  /** Longest watch, in ms. */
  readonly timeoutMs: number;
  readonly onProgress?: (text: string) => void;
}

/**
 * Ends a key, and watches by a probe until it is dead. Its record says `revoked` only when a probe with the key
 * itself was answered that it is dead, else `retiring`; of a key that is not found it stays as it was.
 */
export async function retireKey(
  options: RetireOptions,
  api: KeyApi,
  session: OpenSession,
): Promise<Retirement> {
  const { id, secret } = options;
  const startedAt = performance.now();
  const base = { id, alreadyGone: false };
  const own = probeThatTells(options.permissions, session);
  const connect = await connectProbe(options, session);
  // What the Connect side can still do is told by death alone where no connected account can be asked about.
  const watchUntil = connect === 'unseen' && options.watchUntil === 'narrowed' ? 'dead' : options.watchUntil;
  const tellsNarrowing = own.tellsNarrowing && connect !== 'unseen';
  const sides: readonly Probe[] =
    connect === 'unseen' || connect === undefined ? [own.probe] : [own.probe, connect];
  const ended = await endKey(api, id);
  if (ended !== 'ended' && options.wasProved === true) return { id, alreadyGone: true };
  if (ended === 'not-found') {
    const isDead = secret !== undefined && (await askOnce(own.probe, secret, session)).isDead;
    if (!isDead) return { ...base, unwatched: 'not-found' };
    await markRetired(id, 'revoked', session);
    return { id, alreadyGone: true };
  }
  await markRetired(id, 'retiring', session);
  if (watchUntil === 'not-at-all') return { ...base, unwatched: 'not-asked' };
  if (secret === undefined || (watchUntil === 'narrowed' && !tellsNarrowing)) {
    return { ...base, unwatched: 'no-secret' };
  }
  const watching = { ...options, watchUntil, tellsNarrowing };
  const seen = await watch(sides, secret, startedAt, watching, session);
  if (seen.deadMs !== undefined) await markRetired(id, 'revoked', session);
  else if (seen.narrowedMs !== undefined) await markRetired(id, 'powerless', session);
  return { ...base, ...seen };
}

/** Writes into a key's record that it is ending, or was seen dead. */
export async function markRetired(
  id: string,
  seen: 'retiring' | 'powerless' | 'revoked',
  { records, now }: OpenSession,
): Promise<void> {
  const at = now().toISOString();
  const change: Partial<KeyRecord> =
    seen === 'powerless' ? { powerlessAt: at } : { status: seen, retiredAt: at };
  await records.update((all) => all.map((record) => (record.id === id ? { ...record, ...change } : record)));
}

/** The probe of the Connect side; undefined where the key has none, `unseen` where no account can be asked about. */
async function connectProbe(
  { connectPermissions, secret, watchUntil }: RetireOptions,
  session: OpenSession,
): Promise<Probe | 'unseen' | undefined> {
  if (connectPermissions.length === 0) return undefined;
  if (secret === undefined || watchUntil === 'not-at-all') return undefined;
  const { probe, tellsNarrowing } = probeThatTells(connectPermissions, session);
  const { target, catalog } = session;
  const account = await askConnectedAccount({
    key: target.secretKey(),
    apiBase: target.apiBase,
    apiVersion: catalog.apiVersion,
  });
  return account === undefined || !tellsNarrowing ? 'unseen' : { ...probe, account };
}

/** Watches a key that somebody else ends, until a probe finds it dead. */
export async function watchDeath(
  options: Pick<RetireOptions, 'permissions' | 'timeoutMs' | 'onProgress'> & { readonly secret: SecretKey },
  session: OpenSession,
): Promise<Pick<Retirement, 'deadMs' | 'unwatched'>> {
  const { probe } = probeThatTells(options.permissions, session);
  const watching = { ...options, watchUntil: 'dead' as const, tellsNarrowing: false };
  const { deadMs, unwatched } = await watch([probe], options.secret, performance.now(), watching, session);
  return { deadMs, unwatched };
}

/**
 * A probe that the key's permissions allow and the harmless one does not, a read where there is one; else any
 * read, which tells of death alone.
 */
function probeThatTells(
  permissions: readonly PermissionName[],
  { catalog, probeFor }: OpenSession,
): { readonly probe: Probe; readonly tellsNarrowing: boolean } {
  const before = catalog.closure(permissions);
  const after = catalog.closure([HARMLESS_PERMISSION]);
  const lost = catalog.operations.filter(
    (operation) => allows(before, operation) && !allows(after, operation),
  );
  const isRead = (candidate: Operation) => !isWrite(candidate);
  const operation = lost.find(isRead) ?? lost[0] ?? catalog.operations.find(isRead);
  if (operation === undefined) throw new Error('the catalog has no read');
  return { probe: probeFor(operation), tellsNarrowing: lost.length > 0 };
}

type WatchOptions = Pick<RetireOptions, 'watchUntil' | 'timeoutMs' | 'onProgress'> & {
  readonly tellsNarrowing: boolean;
};

const FIRST_POLL_MS = 200;
const LONGEST_POLL_MS = 2_000;

async function watch(
  sides: readonly Probe[],
  key: SecretKey,
  startedAt: number,
  { watchUntil, timeoutMs, onProgress, tellsNarrowing }: WatchOptions,
  session: OpenSession,
): Promise<Pick<Retirement, 'narrowedMs' | 'deadMs' | 'unwatched'>> {
  const elapsed = () => performance.now() - startedAt;
  let narrowedMs: number | undefined;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(LONGEST_POLL_MS, pollMs * 1.5)) {
    const seen = await Promise.all(sides.map((probe) => askOnce(probe, key, session)));
    if (seen.some(({ isDead }) => isDead)) return { narrowedMs: narrowedMs ?? elapsed(), deadMs: elapsed() };
    const isNarrowed = tellsNarrowing && seen.every(({ verdict }) => verdict === 'forbidden');
    if (isNarrowed) narrowedMs ??= elapsed();
    if (watchUntil === 'narrowed' && narrowedMs !== undefined) return { narrowedMs, unwatched: 'not-asked' };
    if (session.signal.aborted) return { narrowedMs, unwatched: 'interrupted' };
    if (elapsed() > timeoutMs) return { narrowedMs, unwatched: 'timeout' };
    onProgress?.(
      narrowedMs === undefined
        ? `still works after ${seconds(elapsed())}`
        : `can do nothing since ${seconds(narrowedMs)}, not yet dead after ${seconds(elapsed())}`,
    );
    await delay(pollMs, undefined, { signal: session.signal }).catch(() => {});
  }
}

async function askOnce(
  probe: Probe,
  key: SecretKey,
  { target, catalog, signal }: OpenSession,
): Promise<{ readonly verdict: VerdictKind | undefined; readonly isDead: boolean }> {
  const outcome = await sendProbes([probe], {
    key,
    target: target.name,
    apiBase: target.apiBase,
    apiVersion: catalog.apiVersion,
    concurrency: 1,
    signal,
  });
  const verdict = outcome.results[0]?.verdict;
  return { verdict: verdict?.kind, isDead: verdict?.reason === 'dead-key' };
}
