import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { allows, isWrite, type PermissionName } from '../core/catalog/catalog.ts';
import { parametersOf } from '../core/catalog/parameters.ts';
import { buildProbe } from '../core/probe/build-probe.ts';
import type { Probe } from '../core/probe/probe.ts';
import type { SecretKey } from '../core/secret-key.ts';
import type { VerdictKind } from '../core/verdict/verdict.ts';
import type { CommandContext } from '../session/context.ts';
import { loadCatalog } from '../session/load-catalog.ts';
import { updateKeyRecords } from '../store/key-records.ts';
import type { KeyApi } from '../stripe/key-apis/key-api.ts';
import { sendProbes } from '../stripe/send-probes.ts';
import type { OpenTarget } from '../targets/open-target.ts';

/**
 * What a key is narrowed to before it expires: names and prices of shipping, which are shown to every
 * buyer. Stripe ignores an empty list of permissions. @see docs/observed.md
 */
export const HARMLESS_PERMISSION: PermissionName = 'shipping_rate_read';

/** Narrow, which bites within about a second, then expire, which may take minutes. */
export async function endKey(api: KeyApi, id: string): Promise<'ended' | 'already-gone'> {
  const known = await api.retrieve(id);
  if (known === undefined || known.status === 'expired') return 'already-gone';
  await api.narrow(id, [HARMLESS_PERMISSION]);
  await api.expire(id);
  return 'ended';
}

/** How a key ended; times are from the request on, in ms. */
export interface Retirement {
  readonly id: string;
  readonly alreadyGone: boolean;
  /** When the first probe was refused for want of permission, or the key found dead. */
  readonly narrowedMs?: number;
  /** When a probe found the key dead. */
  readonly deadMs?: number;
  /** Why it was not watched to its end. */
  readonly unwatched?: 'no-secret' | 'not-asked' | 'timeout' | 'interrupted';
}

export interface RetireOptions {
  readonly id: string;
  readonly permissions: readonly PermissionName[];
  /** Without it no probe can tell when the key is dead. */
  readonly secret?: SecretKey;
  readonly watchUntil: 'dead' | 'narrowed' | 'not-at-all';
  /** Longest watch, in ms. */
  readonly timeoutMs: number;
  readonly onProgress?: (text: string) => void;
}

/** Ends a key, and watches by a probe until it is dead. */
export async function retireKey(
  options: RetireOptions,
  api: KeyApi,
  target: OpenTarget,
  context: CommandContext,
): Promise<Retirement> {
  const { id, secret, watchUntil } = options;
  const startedAt = performance.now();
  const ended = await endKey(api, id);
  await updateKeyRecords(context.cwd, (records) =>
    records.map((record) =>
      record.id === id ? { ...record, status: 'revoked', retiredAt: context.now().toISOString() } : record,
    ),
  );
  if (ended === 'already-gone') return { id, alreadyGone: true };
  const base = { id, alreadyGone: false };
  if (watchUntil === 'not-at-all') return { ...base, unwatched: 'not-asked' };
  const probe = tellingProbe(options.permissions);
  if (secret === undefined || probe === undefined) return { ...base, unwatched: 'no-secret' };
  return { ...base, ...(await watch(probe, secret, startedAt, options, target, context)) };
}

/** A probe that the key's permissions allow and the harmless one does not; a read where there is one. */
function tellingProbe(permissions: readonly PermissionName[]): Probe | undefined {
  const catalog = loadCatalog();
  const before = catalog.closure(permissions);
  const after = catalog.closure([HARMLESS_PERMISSION]);
  const telling = catalog.operations.filter(
    (operation) => allows(before, operation) && !allows(after, operation),
  );
  const operation = telling.find((one) => !isWrite(one)) ?? telling[0];
  return operation === undefined
    ? undefined
    : buildProbe(operation, {
        parameters: parametersOf(operation.name),
        nonce: randomBytes(6).toString('hex'),
      });
}

const FIRST_POLL_MS = 200;
const LONGEST_POLL_MS = 2_000;

async function watch(
  probe: Probe,
  key: SecretKey,
  startedAt: number,
  { watchUntil, timeoutMs, onProgress }: RetireOptions,
  target: OpenTarget,
  context: CommandContext,
): Promise<Pick<Retirement, 'narrowedMs' | 'deadMs' | 'unwatched'>> {
  const elapsed = () => performance.now() - startedAt;
  let narrowedMs: number | undefined;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(LONGEST_POLL_MS, pollMs * 1.5)) {
    const { verdict, isDead } = await askOnce(probe, key, target, context);
    if (isDead) return { narrowedMs: narrowedMs ?? elapsed(), deadMs: elapsed() };
    if (narrowedMs === undefined && verdict === 'forbidden') narrowedMs = elapsed();
    const so = narrowedMs === undefined ? {} : { narrowedMs };
    if (watchUntil === 'narrowed' && narrowedMs !== undefined) return { ...so, unwatched: 'not-asked' };
    if (context.signal.aborted) return { ...so, unwatched: 'interrupted' };
    if (elapsed() > timeoutMs) return { ...so, unwatched: 'timeout' };
    onProgress?.(
      narrowedMs === undefined
        ? `still works after ${seconds(elapsed())}`
        : `can do nothing since ${seconds(narrowedMs)}, not yet dead after ${seconds(elapsed())}`,
    );
    await delay(pollMs, undefined, { signal: context.signal }).catch(() => {});
  }
}

async function askOnce(
  probe: Probe,
  key: SecretKey,
  target: OpenTarget,
  context: CommandContext,
): Promise<{ readonly verdict: VerdictKind | undefined; readonly isDead: boolean }> {
  const outcome = await sendProbes([probe], {
    key,
    target: context.globals.target,
    apiBase: target.apiBase,
    apiVersion: loadCatalog().apiVersion,
    concurrency: 1,
    signal: context.signal,
  });
  const verdict = outcome.results[0]?.verdict;
  return { verdict: verdict?.kind, isDead: verdict?.reason === 'dead-key' };
}

/** `1.2 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
