import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode } from '../core/error.ts';
import type { Profile } from '../core/profile/profile.ts';
import { unacceptedWrites } from '../core/verdict/finding.ts';
import { cleanUp } from '../keys/end/clean-up.ts';
import { checkedKeyApi } from '../keys/open-key-api.ts';
import { type Provisioned, provisionKey, storeFor } from '../keys/provision-key.ts';
import { requireFree } from '../keys/require-free.ts';
import { provisionJson, renderProvisionTable } from '../report/keys/provision.ts';
import { wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { grantsFor, type ProfileGrant } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { type OpenSession, openSession, type Session, withTarget } from '../session/session.ts';
import { openWorkspace } from '../store/workspace.ts';

export interface ProvisionOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly examples?: boolean;
  readonly keyApi?: string;
  readonly store?: string;
  /** A command that prints what an `exec:` store holds now. */
  readonly readBack?: string;
  readonly reveal?: boolean;
  readonly account?: string;
  /** How long the key lives, such as `90d`. */
  readonly ttl?: string;
  readonly open?: boolean;
  /** Make a key although one works. */
  readonly again?: boolean;
}

/** `keyaudit provision`: make the key of each profile and put its secret where the agent finds it. */
export async function provision(options: ProvisionOptions, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const grants = await grantsFor(options, session);
  const store = storeFor(options, session);
  const kind = checkedKeyApi(options.keyApi, session);
  const ttlMs = options.ttl === undefined ? undefined : parseDuration(options.ttl);
  // Before anything is made: a secret that cannot be kept must not come to be.
  await openWorkspace(session.cwd);
  await session.records.all();
  for (const { profile, grant } of grants) warnOfWidenings(profile.name, grant, session);
  return withTarget(session, async (open) => {
    await cleanUp(open, options);
    await requireFree(grants, options, store, open);
    const made: (Provisioned & Pick<ProfileGrant, 'profile'>)[] = [];
    try {
      for (const [index, grant] of grants.entries()) {
        if (open.signal.aborted) throw open.signal.reason;
        const turn = grants.length > 1 ? `${index + 1} of ${grants.length}` : undefined;
        const one = await provisionKey(grant, kind, { ...options, ttlMs, turn }, store, open);
        made.push({ ...one, profile: grant.profile });
      }
    } finally {
      // What was made is told also when the next one failed.
      if (made.length > 0) await print(made, open);
    }
    return EXIT.ok;
  });
}

async function print(
  made: readonly (Provisioned & Pick<ProfileGrant, 'profile'>)[],
  session: OpenSession,
): Promise<void> {
  const report = {
    target: session.target.name,
    targetNote: session.target.note,
    next: session.globals.place,
    made: await Promise.all(
      made.map(async (one) => ({ ...one, word: await wordFor(one.profile, session.library) })),
    ),
  };
  await printResult(session, {
    json: provisionJson(report),
    table: (output) => renderProvisionTable(report, output),
  });
}

/** What names a profile on a command line: its name where that finds it, else its file. */
async function wordFor({ name, file }: Profile, library: Session['library']): Promise<string> {
  const found = await library.find(name).catch(() => undefined);
  return found?.file === file ? name : file;
}

function warnOfWidenings(name: string, grant: ProfileGrant['grant'], context: CommandContext): void {
  for (const widening of unacceptedWrites(grant.widenings)) {
    const text = `${name}: ${widening.permission} also allows ${widening.operations.join(', ')}, which the profile does not accept; verify will report it.`;
    context.stderr.write(wrap(text, context.stderr, { indent: '  ', first: 'warning: ' }));
  }
}
