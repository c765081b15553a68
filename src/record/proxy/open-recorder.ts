import type { Catalog } from '../../core/catalog/catalog.ts';
import type { RunRecorder } from '../../core/draft/runs/recorded-run.ts';
import type { NotesRead } from '../read-notes.ts';
import { proxyEnvironment } from './proxy-environment.ts';
import { type RecorderSeen, startRecorderServer } from './recorder-server.ts';

/** By which ways a command is watched. */
export interface RecorderPlan {
  /** In Node and Python. */
  readonly hooks: boolean;
  /** Variables that are to name the recorder in place of Stripe. */
  readonly bases: readonly string[];
  readonly proxy: boolean;
  /** Where calls go that come by the recorder; without it to Stripe. */
  readonly upstream?: string | undefined;
  /** The variable by which the command has a proxy of its own. */
  readonly taken?: string | undefined;
  /** Whether it is told to go past any proxy for Stripe. */
  readonly isPast: boolean;
}

/** A recorder between a command and Stripe, while the command runs. */
export interface OpenRecorder {
  readonly url: string;
  readonly seen: RecorderSeen;
  /** What the command's environment is to have besides. @param folder a private one */
  environment(
    env: Readonly<Record<string, string | undefined>>,
    folder: string,
  ): Promise<Readonly<Record<string, string>>>;
  /** All that came by is noted. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Starts what the plan needs; undefined where hooks alone are wanted. */
export async function openRecorder(
  { bases, proxy, upstream }: RecorderPlan,
  { now, ...options }: { readonly catalog: Catalog; readonly recorder: RunRecorder; readonly now: Date },
): Promise<OpenRecorder | undefined> {
  if (bases.length === 0 && !proxy) return undefined;
  const certificates = proxy
    ? await (await import('./make-certificates.ts')).makeCertificates(now)
    : undefined;
  const server = await startRecorderServer({
    ...options,
    upstream: upstream === undefined ? undefined : new URL(upstream).origin,
    certificates,
  });
  return {
    url: server.url,
    get seen() {
      return server.seen;
    },
    environment: async (env, folder) => ({
      ...Object.fromEntries(bases.map((variable) => [variable, server.url])),
      ...(certificates === undefined
        ? {}
        : await proxyEnvironment(server.url, certificates.authority, env, folder)),
    }),
    settled: () => server.settled(),
    close: () => server.close(),
  };
}

/** What could not be seen by it, one sentence each. */
export function unseenByRecorder(
  { hooks, bases, proxy, taken, isPast }: RecorderPlan,
  seen: RecorderSeen | undefined,
  { processes }: NotesRead,
): string[] {
  const isHooked = processes.node + processes.python > 0;
  const refused = (seen?.refusedBy ?? []).map(
    (host) =>
      `Connections to ${host} by a program that trusts certificates of its own alone: they were let through unopened, after one that failed.`,
  );
  if (seen === undefined) return refused;
  const nothing = seen.byBase + seen.byProxy === 0 && refused.length === 0;
  return [
    ...refused,
    ...(proxy && isPast ? ['Calls past the proxy: NO_PROXY names Stripe.'] : []),
    ...(hooks && !proxy && taken !== undefined
      ? [`Calls of programs other than Node and Python: the command has a proxy of its own (${taken}).`]
      : []),
    ...(nothing
      ? [
          `${isHooked ? 'Programs other than Node and Python, if it started any' : 'Calls of this command, if it made any'}: none came by ${ways(bases, proxy)}, which a program may pass over.`,
        ]
      : []),
  ];
}

function ways(bases: readonly string[], proxy: boolean): string {
  const base = bases.length === 0 ? [] : [`the address in ${bases.join(' and ')}`];
  return [...base, ...(proxy ? ['the proxy'] : [])].join(' or ');
}
