import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import type { KeyApiChoice } from '../core/key-api.ts';
import { unacceptedWrites } from '../core/verdict/finding.ts';
import { takeDashboardKey } from '../keys/dashboard-key.ts';
import { createKey, publishKey } from '../keys/make-key.ts';
import { checkedKeyApi, openKeyApi } from '../keys/open-key-api.ts';
import { paintFor, wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { grantsFor, type ProfileGrant } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { type KeyRecord, readKeyRecords } from '../store/key-records.ts';
import { openStore, type SecretStore } from '../store/secrets/secret-store.ts';
import { openWorkspace } from '../store/workspace.ts';
import { type OpenTarget, openTarget } from '../targets/open-target.ts';

export interface ProvisionOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly keyApi?: string;
  readonly store?: string;
  readonly reveal?: boolean;
  readonly account?: string;
  /** How long the key lives, such as `90d`. */
  readonly ttl?: string;
  readonly open?: boolean;
}

export interface Provisioned {
  readonly record: KeyRecord;
  readonly superseded: readonly KeyRecord[];
}

/** `keyaudit provision`: make the key of each profile and put its secret where the agent finds it. */
export async function provision(options: ProvisionOptions, context: CommandContext): Promise<ExitCode> {
  const grants = await grantsFor(options, context);
  const store = storeFor(options, context);
  const kind = checkedKeyApi(options.keyApi, context);
  const ttlMs = options.ttl === undefined ? undefined : parseDuration(options.ttl);
  // Before anything is made: a secret that cannot be kept must not come to be.
  await openWorkspace(context.cwd);
  await readKeyRecords(context.cwd);
  for (const { profile, grant } of grants) warnOfWidenings(profile.name, grant, context);
  const target = await openTarget(context);
  try {
    const made: Provisioned[] = [];
    try {
      for (const one of grants) {
        if (context.signal.aborted) throw context.signal.reason;
        made.push(
          await provisionOne(
            one,
            kind,
            { ...options, ...(ttlMs === undefined ? {} : { ttlMs }) },
            store,
            target,
            context,
          ),
        );
      }
    } finally {
      // What was made is told also when the next one failed.
      if (made.length > 0) await report(made, target, context);
    }
    return EXIT.ok;
  } finally {
    await target.close();
  }
}

/** The store of `--store`; see {@link openStore}. */
export function storeFor(
  { store, reveal }: { readonly store?: string; readonly reveal?: boolean },
  context: CommandContext,
): SecretStore {
  return openStore(store ?? context.env.KEYAUDIT_STORE, {
    cwd: context.cwd,
    reveal: reveal === true ? context.reveal : undefined,
    log: context.stderr.write,
  });
}

async function provisionOne(
  one: ProfileGrant,
  kind: KeyApiChoice,
  options: { readonly account?: string; readonly ttlMs?: number; readonly open?: boolean },
  store: SecretStore,
  target: OpenTarget,
  context: CommandContext,
): Promise<Provisioned> {
  const byHand = () => takeDashboardKey(one, options, store, target, context);
  if (kind === 'dashboard') return byHand();
  const expiresAt =
    options.ttlMs === undefined ? {} : { expiresAt: new Date(context.now().getTime() + options.ttlMs) };
  try {
    const api = openKeyApi(kind === 'restricted_keys' ? kind : 'managed', target, options);
    const pending = await createKey(one, api, target, context, {
      command: 'provision',
      ...expiresAt,
      ...accountOf(options),
    });
    if (context.signal.aborted) {
      await pending.undo();
      throw context.signal.reason;
    }
    const published = await publishKey(pending, store, context);
    await warnOfDisplaced(published.record, context);
    await pending.work.end();
    return published;
  } catch (error) {
    if (kind !== 'auto' || !meansByHand(error)) throw error;
    context.stderr.write(wrap(`By the Dashboard, since: ${(error as Error).message}`, context.stderr));
    return byHand();
  }
}

/** Only when there is one. */
export function accountOf({ account }: { readonly account?: string }): { readonly account?: string } {
  return account === undefined ? {} : { account };
}

/** Refusals that mean "not for you", and not "you did it wrong". */
function meansByHand(error: unknown): boolean {
  return error instanceof KeyauditError && error.code === 'KEY_API_UNAVAILABLE';
}

/** A key of another target or mode, whose secret stood in the same variable of the same store. */
async function warnOfDisplaced(record: KeyRecord, context: CommandContext): Promise<void> {
  const displaced = (await readKeyRecords(context.cwd)).filter(
    (old) =>
      old.status === 'active' &&
      old.id !== record.id &&
      old.variable === record.variable &&
      old.place === record.place &&
      (old.target !== record.target || old.mode !== record.mode),
  );
  for (const old of displaced) {
    const text = `warning: ${record.variable} in ${record.place} held the ${old.mode} key ${old.id} of the target ${old.target}. That key still works, but its secret is stored no more. --store env-file:PATH keeps them apart.`;
    context.stderr.write(wrap(text, context.stderr, { indent: '  ' }));
  }
}

async function report(
  made: readonly Provisioned[],
  target: OpenTarget,
  context: CommandContext,
): Promise<void> {
  await printResult(context, {
    json: {
      schema: 'keyaudit.provision/1',
      target: context.globals.target,
      targetNote: target.note,
      keys: made.map(({ record, superseded }) => ({
        ...record,
        superseded: superseded.map((old) => old.id),
      })),
    },
    table: (output) => {
      const paint = paintFor(output);
      output.write(paint.dim(wrap(target.note, output)));
      for (const { record, superseded } of made) {
        output.write(
          `${paint.green('✔')} ${paint.bold(record.profile)} ${record.id} ${paint.dim(`${record.mode}, ${record.fingerprint}`)}\n`,
        );
        const hanging = { indent: '    ', first: '  ' };
        output.write(
          wrap(`${record.variable} in ${record.place}: ${record.permissions.join(', ')}`, output, hanging),
        );
        for (const old of superseded) {
          const ends =
            old.keyApi === 'dashboard' ? 'delete it in the Dashboard' : `"keyaudit revoke ${old.id}" ends it`;
          const text = `The previous key ${old.id} still works; ${ends}.`;
          output.write(wrap(text, output, hanging));
        }
      }
      output.write(
        `Prove ${made.length === 1 ? 'it' : 'them'}: keyaudit verify ${made.length === 1 ? `--profile ${made[0]?.record.profile}` : '--all'}\n`,
      );
    },
  });
}

function warnOfWidenings(name: string, grant: ProfileGrant['grant'], context: CommandContext): void {
  for (const widening of unacceptedWrites(grant.widenings)) {
    const text = `${name}: ${widening.permission} also allows ${widening.operations.join(', ')}, which the profile does not accept; verify will report it.`;
    context.stderr.write(wrap(text, context.stderr, { indent: '  ', first: 'warning: ' }));
  }
}
