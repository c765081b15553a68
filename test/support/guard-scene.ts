import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { verifyThroughGuard } from '../../src/audit/verify-through-guard.ts';
import { NO_CALIBRATION } from '../../src/core/calibrate/calibration.ts';
import { BeyondSdk } from '../../src/core/catalog/beyond-sdk.ts';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { beyondSdkRows } from '../../src/core/catalog/data/beyond-sdk.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { resolveGrant } from '../../src/core/grant/grant.ts';
import { readProfile } from '../../src/core/profile/read-profile.ts';
import { resolveProfile } from '../../src/core/profile/resolve-profile.ts';
import { SecretKey } from '../../src/core/secret-key.ts';
import { readAmount } from '../../src/core/spend/amount.ts';
import type { Reconciled } from '../../src/core/spend/guard-status.ts';
import type { LogRow } from '../../src/core/spend/log-row.ts';
import { VersionViews } from '../../src/gate/version-view.ts';
import { reconcile } from '../../src/guard/reconcile.ts';
import { makeRunKey } from '../../src/guard/run-key.ts';
import { type Served, servedOf } from '../../src/guard/served.ts';
import { LogStore } from '../../src/guard/spend-store.ts';
import { type Guard, startGuard } from '../../src/guard/start-guard.ts';
import { Lines, originsOf } from '../../src/guard/upstream.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { probeMaker } from '../../src/session/probe-maker.ts';
import { profileDigest } from '../../src/store/files/profile-digest.ts';
import { GuardLog, type GuardLogOptions } from '../../src/store/guard-log/guard-log.ts';
import { readGuardLog } from '../../src/store/guard-log/read-guard-log.ts';
import { keyMaker } from './sandbox-server.ts';

export const guardCatalog = new Catalog(catalogData);
export const guardViews = new VersionViews(guardCatalog, new BeyondSdk(beyondSdkRows, guardCatalog), {
  hasBeyondCalls: false,
});

/** An answer, read. */
export interface GuardAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  readonly body: any;
}

export interface AskOptions {
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Form = string | Readonly<Record<string, string | number>>;

/** A guard, and what stands behind it. */
export interface GuardScene {
  readonly guard: Guard;
  readonly url: string;
  readonly folder: string;
  readonly alarms: readonly string[];
  /** What the clock says; may be set. */
  readonly clock: { now: number };
  /** Begins a run; its key, and its name. */
  issue(options?: {
    run?: string;
    profile?: string;
    caps?: readonly string[];
    ttlMs?: number;
    repeats?: readonly string[];
    rollMs?: number;
  }): Promise<{ key: string; run: string }>;
  ask(line: string, form?: Form, options?: AskOptions): Promise<GuardAnswer>;
  rows(): Promise<LogRow[]>;
  /** Asks Stripe what became of what is held. */
  reconcile(): Promise<readonly Reconciled[]>;
  serve(text: string): Served;
  /** Ends the guard as a power cut does, as far as a process can: nothing is settled, the file stays as it is. */
  stop(): Promise<void>;
}

/** The guide's agent, with caps that tests can fill. */
export const REFUND_AGENT = `
permissions: { charges: read, refunds: write, customers: read }
checks: { allow: [charges.list, charges.retrieve, refunds.create, customers.retrieve] }
accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]
guard: { caps: [{ per: run, amount: 500.00 usd }] }
`;

export interface GuardSceneOptions {
  readonly profiles?: Readonly<Record<string, string>>;
  readonly upstream: string;
  readonly upstreamKey?: (permissions: readonly string[], connect: readonly string[]) => Promise<string>;
  readonly folder?: string;
  readonly log?: Partial<GuardLogOptions>;
  readonly now?: number;
  readonly timeoutMs?: number;
  readonly lookUpMs?: number;
}

/** A profile and what it is served from, by its text. */
export function profileGrant(name: string, text: string) {
  const reading = readProfile(`name: ${name}\n${text}`, `${name}.yaml`, guardCatalog);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  const profile = resolveProfile(reading.profile, () => undefined);
  const grant = resolveGrant(profile, guardCatalog, '2026-11-25');
  if (grant.contradictions.length > 0) throw new Error(JSON.stringify(grant.contradictions));
  return { profile, grant };
}

/** Starts a guard before any server, ended when the test is over. */
export async function guardScene(options: GuardSceneOptions): Promise<GuardScene> {
  const {
    profiles = { agent: REFUND_AGENT },
    upstream,
    upstreamKey,
    now = Date.parse('2026-11-25T12:00:00Z'),
  } = options;
  const clock = { now };
  const folder = options.folder ?? join(await temporary(), 'guard', 'log');
  const opened = await GuardLog.open({ folder, now: () => clock.now, ...options.log });
  const store = new LogStore(opened);
  const lines = new Lines(originsOf(upstream), options);
  const keys = new Map<string, SecretKey>();
  const serve = (name: string, text: string): Served => {
    const { profile, grant } = profileGrant(name, text);
    const key = keys.get(name) ?? SecretKey.of('rk_test_upstream');
    const made = servedOf({
      profile,
      grant,
      key,
      digest: profileDigest(profile),
      mode: 'test',
      target: 'sandbox',
      lines,
      catalog: guardCatalog,
    });
    if (made === undefined) throw new Error('no guard section');
    return made;
  };
  for (const [name, text] of Object.entries(profiles)) {
    const { grant } = profileGrant(name, text);
    const made = await upstreamKey?.(grant.permissions, grant.connectPermissions);
    if (made !== undefined) keys.set(name, SecretKey.of(made));
  }
  const alarms: string[] = [];
  const guard = await startGuard({
    catalog: guardCatalog,
    beyondSdk: new BeyondSdk(beyondSdkRows, guardCatalog),
    store,
    served: Object.entries(profiles).map(([name, text]) => serve(name, text)),
    host: '127.0.0.1',
    port: 0,
    now: () => clock.now,
    alarm: (text) => alarms.push(text),
    docs: 'docs/guard.md',
  });
  const [first = 'agent'] = Object.keys(profiles);
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await guard.close();
    await lines.close();
    await store.close();
  };
  onTestFinished(stop);
  let runs = 0;
  let known: string | undefined;
  const issue: GuardScene['issue'] = async ({
    run = `run_${runs++}`,
    profile = first,
    caps = [],
    ttlMs,
    repeats = [],
    rollMs,
  } = {}) => {
    const { key, digest } = makeRunKey('test');
    const amounts = caps.map((text) => readAmount(text)).flatMap((one) => ('minor' in one ? [one] : []));
    const issued = await guard.control.issue({
      profile,
      run,
      key: digest,
      ttlMs,
      caps: amounts,
      labels: {},
      repeats,
      rollMs,
    });
    if ('problem' in issued) throw new Error(issued.problem);
    known ??= key.reveal();
    return { key: key.reveal(), run };
  };
  return {
    guard,
    url: guard.url,
    folder,
    alarms,
    clock,
    issue,
    ask: async (line, form, asked = {}) =>
      ask(guard.url, line, form, { key: asked.key ?? known ?? 'none', ...asked }),
    rows: async () => {
      const rows: LogRow[] = [];
      await readGuardLog(folder, (row) => rows.push(row));
      return rows;
    },
    reconcile: async () => {
      const claimed = new Set<string>();
      await readGuardLog(folder, (row) => {
        if ('object' in row && typeof row.object === 'string') claimed.add(row.object);
      });
      const { profiles: served, onTheirWay } = guard;
      return reconcile({ store, profiles: served, onTheirWay, now: () => clock.now, claimed });
    },
    serve: (text) => serve(first, text),
    stop,
  };
}

/** The same before a sandbox, whose objects the test may look at. */
export async function guardedSandbox(
  options: Omit<GuardSceneOptions, 'upstream' | 'upstreamKey'> = {},
  behaviour: Parameters<typeof startSandbox>[0]['behaviour'] = {},
): Promise<GuardScene & { sandbox: Sandbox; direct(line: string, form?: Form): Promise<GuardAnswer> }> {
  const sandbox = await startSandbox({ catalog: guardCatalog, behaviour });
  onTestFinished(() => sandbox.close());
  const maker = keyMaker(sandbox.url, sandbox.shownSecretKey);
  const scene = await guardScene({
    ...options,
    upstream: sandbox.url,
    upstreamKey: async (permissions, connect) => (await maker.makeKey(permissions, connect)).token,
  });
  return {
    ...scene,
    sandbox,
    direct: (line, form) => ask(sandbox.url, line, form, { key: sandbox.shownSecretKey }),
  };
}

async function ask(
  url: string,
  line: string,
  form: Form | undefined,
  { key, headers = {} }: { key: string; headers?: Readonly<Record<string, string>> },
): Promise<GuardAnswer> {
  const [method = '', path = ''] = line.split(' ');
  const body =
    form === undefined || typeof form === 'string'
      ? form
      : new URLSearchParams(
          Object.entries(form).map(([name, value]): [string, string] => [name, String(value)]),
        ).toString();
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

async function temporary(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-guard-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** What a verification of a guard before the sandbox needs of a session. */
export function probeSession(apiBase: string) {
  return {
    catalog: guardCatalog,
    probeFor: probeMaker(guardCatalog, NO_CALIBRATION),
    target: {
      name: 'sandbox',
      apiBase,
      note: '',
      secretKey: () => SecretKey.of('sk_test_x'),
      close: async () => {},
    },
    signal: new AbortController().signal,
    globals: { place: [] },
  } as unknown as ProbeSession;
}

type ProbeSession = Parameters<typeof verifyThroughGuard>[2];
