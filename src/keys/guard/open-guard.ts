import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { KeyauditError } from '../../core/error.ts';
import type { Reconciled } from '../../core/spend/guard-status.ts';
import { type AdminServer, adminVerbs, serveAdmin } from '../../guard/admin/admin-server.ts';
import { statusOf } from '../../guard/admin/status.ts';
import { reconcile } from '../../guard/reconcile.ts';
import { type Served, servedOf } from '../../guard/served.ts';
import { LogStore } from '../../guard/spend-store.ts';
import { type Guard, startGuard } from '../../guard/start-guard.ts';
import { Lines, originsOf } from '../../guard/upstream.ts';
import { guardLinesToAdd } from '../../report/guard/lines-to-add.ts';
import { wrap } from '../../report/text.ts';
import { type AskGuard, guardSocket, ownGuard } from '../../session/guard/guard-client.ts';
import type { ProfileGrant } from '../../session/profile-grant.ts';
import type { OpenSession } from '../../session/session.ts';
import { profileDigest } from '../../store/files/profile-digest.ts';
import { Anchor } from '../../store/guard-log/anchor.ts';
import { guardLogFolder } from '../../store/guard-log/guard-folder.ts';
import { GuardLog } from '../../store/guard-log/guard-log.ts';
import { readGuardLog } from '../../store/guard-log/read-guard-log.ts';
import { openWorkspace } from '../../store/workspace.ts';
import { followProfiles } from './follow-profiles.ts';
import { endUpstreamKeys, openUpstreamKeys, revokeUpstreamKeys, type UpstreamKey } from './upstream-keys.ts';

export interface OpenGuardOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** A command that is handed each checkpoint of the log. */
  readonly anchor?: string | undefined;
  /** Whether it can be commanded from outside this process (default true). */
  readonly hasSocket?: boolean;
}

/** A guard that serves profiles of a folder, with its log and its socket. */
export interface OpenGuard {
  readonly guard: Guard;
  readonly socket: string;
  /** Commands it from this process. */
  readonly ask: AskGuard;
  readonly keys: readonly UpstreamKey[];
  /** What a profile comes to with its key, as it is now. */
  servedOf(grant: ProfileGrant): Served | undefined;
  /** Lets what goes on finish, then ends; keys that were made for it end with it. */
  close(): Promise<void>;
}

/** How long calls may take to finish when the guard ends, in ms: as long as Stripe may take to answer. */
const DRAIN_MS = 85_000;

/**
 * Starts a guard for profiles, on the target that is open.
 * @throws KeyauditError `GUARD_SECTION_MISSING`, `GUARD_RUNNING`, `GUARD_LOG_BROKEN`, `PORT_TAKEN`, or of keys
 */
export async function openGuard(
  grants: readonly ProfileGrant[],
  { host, port, anchor: command, hasSocket = true }: OpenGuardOptions,
  session: OpenSession,
): Promise<OpenGuard> {
  requireSections(grants);
  await openWorkspace(session.cwd);
  const socket = guardSocket(session.cwd);
  await mkdir(dirname(socket), { recursive: true, mode: 0o700 });
  const now = () => session.now().getTime();
  const instance = randomBytes(4).toString('hex');
  const alarm = (text: string) => session.stderr.write(wrap(`alarm: ${text}`, session.stderr));
  const { cwd, env } = session;
  const anchor = command === undefined ? undefined : new Anchor({ command, cwd, env, alarm });
  const onCheckpoint = (jws: string) => anchor?.take(jws);
  const opened = await GuardLog.open({ folder: guardLogFolder(cwd), now, instance, onCheckpoint });
  const store = new LogStore(opened);
  const lines = new Lines(originsOf(session.target.apiBase));
  let keys: readonly UpstreamKey[] = [];
  let guard: Guard | undefined;
  let admin: AdminServer | undefined;
  let follow = () => {};
  const close = async () => {
    follow();
    await guard?.drain(DRAIN_MS);
    await admin?.close();
    await guard?.close();
    await lines.close();
    await store.happen({ kind: 'stop' }, now()).catch(() => {});
    await store.close();
    await anchor?.close();
    await endUpstreamKeys(keys, session);
  };
  try {
    keys = await openUpstreamKeys(grants, session);
    const byProfile = new Map(keys.map((key) => [key.profile.name, key]));
    const servedNow = (grant: ProfileGrant) => {
      const key = byProfile.get(grant.profile.name);
      if (key === undefined) return undefined;
      const digest = profileDigest(grant.profile);
      const { catalog, target } = session;
      return servedOf({ ...key, ...grant, digest, target: target.name, lines, catalog });
    };
    const started = await startGuard({
      catalog: session.catalog,
      beyondSdk: session.beyondSdk,
      store,
      served: keys.flatMap((key) => servedNow(key) ?? []),
      host,
      port,
      now,
      alarm,
      docs: `https://unpkg.com/keyaudit@${session.version}/docs/guard.md`,
    });
    guard = started;
    const verbs = adminVerbs({
      control: started.control,
      status: () => statusOf({ ...started, strangers: started.strangers, now }),
      more: {
        reconcile: async (body) => {
          const { run } = reconcileSchema.parse(body);
          return { reconciled: await reconcileWith(started, now, run, session) };
        },
        revoke: async (body) => {
          const { target } = revokeSchema.parse(body);
          return { revoked: await revokeUpstreamKeys(keysOf(target, keys, store), session) };
        },
      },
    });
    if (hasSocket) admin = await serveAdmin(socket, verbs);
    const changed = (grant: ProfileGrant) => {
      const served = servedNow(grant);
      if (served === undefined) return;
      started.profiles.replace(served);
      store.settle({ kind: 'policy', profile: grant.profile.name, policy: served.digest }, now());
    };
    follow = followProfiles({ grants, changed, alarm }, session);
    return { guard: started, socket, ask: ownGuard(verbs), keys, servedOf: servedNow, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const reconcileSchema = z.strictObject({ run: z.string().optional() });

/** Asks Stripe what became of what a guard holds, of a run or of all. @param now in ms since 1970 */
export async function reconcileWith(
  { store, profiles, onTheirWay }: Guard,
  now: () => number,
  run: string | undefined,
  { cwd }: Pick<OpenSession, 'cwd'>,
): Promise<readonly Reconciled[]> {
  const claimed = new Set<string>();
  await readGuardLog(guardLogFolder(cwd), (row) => {
    if ((row.kind === 'settle' || row.kind === 'reconcile') && typeof row.object === 'string')
      claimed.add(row.object);
  });
  return reconcile({ store, profiles, onTheirWay, now, claimed, run });
}

const revokeSchema = z.object({
  target: z.discriminatedUnion('of', [
    z.object({ of: z.literal('all') }),
    z.object({ of: z.enum(['profile', 'run']), name: z.string() }),
  ]),
});

/** The keys behind what was killed; that of a run is its profile's, which other runs use as well. */
function keysOf(
  target: z.infer<typeof revokeSchema>['target'],
  keys: readonly UpstreamKey[],
  { book }: LogStore,
): readonly UpstreamKey[] {
  if (target.of === 'all') return keys;
  const name = target.of === 'profile' ? target.name : book.runs.run(target.name)?.profile;
  return keys.filter(({ profile }) => profile.name === name);
}

/** @throws KeyauditError `GUARD_SECTION_MISSING`, with the lines to add */
function requireSections(grants: readonly ProfileGrant[]): void {
  const missing = grants.filter(({ profile }) => profile.guard === undefined);
  if (missing.length === 0) return;
  throw new KeyauditError(
    'GUARD_SECTION_MISSING',
    'A profile without a "guard" section says not how much may be moved, so that nothing of it is served.',
    {
      hint: 'Add it, fit the amounts, and run this again.',
      problems: missing.map(({ profile, grant }) => ({
        message: `${profile.name} has no "guard" section.`,
        location: profile.location,
        hint: guardLinesToAdd(grant),
      })),
    },
  );
}
